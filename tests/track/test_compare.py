"""Two recorded runs held against each other, by the function and by the command."""

import json
import re

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.stats.flags import STEAL
from dnnbench.store.store import open_store
from dnnbench.track.compare import COLUMNS, compare
from helpers import reporting

pytestmark = pytest.mark.slow

GENERATIONS = 5
BASE = {"generations": GENERATIONS, "workloads": ("mlp_digits",)}

CASES = {
    "nothing changed": ({}, exitcodes.OK, "SAME"),
    "10 % slower": ({"slower": 1.10}, exitcodes.REGRESSION, "SLOWER"),
    "3 % slower, less than the threshold": ({"slower": 1.035}, exitcodes.OK, "SLOWER"),
    "10 % faster": ({"slower": 0.9}, exitcodes.OK, "FASTER"),
    "the whole machine is slower": ({"machine_speed": 1.015, "slower": 1.0}, exitcodes.OK, "SAME"),
    "the control arm moved": (
        {"machine_speed": 1.4, "slower": 1.1},
        exitcodes.NOTHING_MEASURED,
        "UNDECIDED",
    ),
    "every round disturbed": (
        {"flags": STEAL, "slower": 1.3},
        exitcodes.NOTHING_MEASURED,
        "UNDECIDED",
    ),
    "its twin is unlike the base": (
        {"slower": 1.3, "arms": reporting.SPEED | {"torch:eager#twin": 1.05}},
        exitcodes.NOTHING_MEASURED,
        "UNDECIDED",
    ),
    "its twin is like the base": (
        {"slower": 1.3, "arms": reporting.SPEED | {"torch:eager#twin": 1.0}},
        exitcodes.REGRESSION,
        "SLOWER",
    ),
    "another machine": ({"machine": "m2", "slower": 1.3}, exitcodes.NOTHING_MEASURED, None),
    "one generation": ({"generations": 1, "slower": 1.3}, exitcodes.NOTHING_MEASURED, "UNDECIDED"),
    "another specification": ({"spec_hash": "ffff"}, exitcodes.NOTHING_MEASURED, "no pair"),
    "another workload": ({"workloads": ("cnn_digits",)}, exitcodes.NOTHING_MEASURED, "no pair"),
    "another arm": ({"arms": {"mx:eager": 1.0}}, exitcodes.NOTHING_MEASURED, "no pair"),
}


def two_runs(path, **changes):
    with open_store(path) as store:
        reporting.add_run(store, "base", label="before", **BASE)
        reporting.add_run(store, "new", label="after", seed=1, **(BASE | changes))
    return path


def command(path, *words):
    return main(["compare", *words, "--store", str(path)])


@pytest.mark.parametrize("case", CASES)
def test_a_pair_of_runs_ends_with_its_code_and_verdict(tmp_path, capsys, case):
    changes, code, verdict = CASES[case]
    path = two_runs(tmp_path / "s.sqlite", **changes)
    assert command(path, "before", "after", "--fail-on", "5%", "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 2
    assert (told["base_run"], told["new_run"]) == ("base", "new")
    verdicts = [cell["verdict"] for cell in told["cells"]] or ["no pair"]
    assert max(verdicts, key=verdicts.count) == verdict
    assert told["regressed"] is (code == exitcodes.REGRESSION)
    assert (told["unusable"] is not None) is (code == exitcodes.NOTHING_MEASURED)


def test_a_twin_unlike_the_base_in_the_earlier_run_overrules_too(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        arms = reporting.SPEED | {"torch:eager#twin": 1.05}
        reporting.add_run(store, "base", arms=arms, **BASE)
        reporting.add_run(store, "new", seed=1, slower=1.3, **BASE)
        found = compare(store, "base", "new", 0.05)
    assert not found.regressed
    (reason,) = found.cells["reason"].unique()
    assert reason.startswith("in run base the base against itself came out as 1.05")


@pytest.mark.parametrize(
    ("slower", "fail_on", "found"),
    [(1.1, 0.05, 28), (1.1, 0.2, 0), (1.1, None, 0), (1.035, 0.01, 28)],
)
def test_only_an_interval_wholly_beyond_the_threshold_is_a_regression(
    tmp_path, slower, fail_on, found
):
    with open_store(two_runs(tmp_path / "s.sqlite", slower=slower)) as store:
        cells = compare(store, "base", "new", fail_on).cells
    assert {name: str(cells[name].dtype) for name in COLUMNS} == COLUMNS
    assert len(cells) == 28
    assert cells.ratio.between(slower * 0.985, slower * 1.015).all()
    assert (cells.ratio_low < cells.ratio).all()
    assert (cells.ratio < cells.ratio_high).all()
    assert cells.regression.sum() == pytest.approx(found, abs=2 if found else 0)
    assert not (cells.regression & (cells.ratio_low <= 1 + (fail_on or 0))).any()


def test_times_are_told_as_measured_and_ratios_in_units_of_the_control_arm(tmp_path):
    with open_store(two_runs(tmp_path / "s.sqlite", machine_speed=1.015)) as store:
        cells = compare(store, "base", "new").cells
    raw = cells.new_s / cells.base_s
    assert (raw.median() - 1.015) == pytest.approx(0, abs=0.03)
    assert cells.ratio.median() == pytest.approx(1, abs=0.005)


def test_cells_of_one_run_only_are_listed_with_the_reason(tmp_path):
    path = two_runs(
        tmp_path / "s.sqlite", arms={"torch:eager": 1.0, "mx:eager": 2.0, "jax:jit": 0.5}
    )
    with open_store(path) as store:
        cells = store.cells("new")
        failed = cells.cell_id[(cells.arm == "jax:jit") & (cells.phase == "infer")].item()
        store.update_cells(
            "new", [{"cell_id": failed, "status": "failed", "reason": "failed: killed by signal 9"}]
        )
        found = compare(store, "base", "new")
    assert len(found.cells) == 13
    assert len(found.only_new) == 7
    assert len(found.only_base) == 15
    assert "mlp_digits batch 64 infer jax:jit: failed: killed by signal 9" in found.only_base
    assert "mlp_digits batch 64 infer mx:eager: not in that run's plan" in found.only_new


def test_what_differs_in_an_otherwise_equal_cell_is_named(tmp_path):
    path = two_runs(tmp_path / "s.sqlite", threads=8)
    with open_store(path) as store:
        found = compare(store, "base", "new")
    assert len(found.cells) == 0
    assert found.only_new[0].endswith("threads is 2 there, 8 here")


def differing(store, arm):
    """The check of the later run says that an arm computes something else."""
    row = {
        "workload": "mlp_digits",
        "dtype": "float32",
        "kind": "loss",
        "optimizer": "",
        "tensor": "loss",
    }
    store.add_agreement(
        "new",
        [row | {"arm": arm, "ratio": 9.0, "ok": False, "status": "differs", "reason": "rmse"}],
    )


def test_an_arm_that_differs_and_was_disturbed_shows_no_interval(tmp_path):
    with open_store(two_runs(tmp_path / "s.sqlite", flags=STEAL)) as store:
        differing(store, "jax:jit")
        cells = compare(store, "base", "new").cells
    assert cells.reason.str.contains("it differs from the reference").any()
    assert cells.ratio_low.isna().all()


def test_an_arm_that_differs_is_not_judged(tmp_path):
    path = two_runs(tmp_path / "s.sqlite", slower=1.3)
    with open_store(path) as store:
        differing(store, "jax:jit")
        cells = compare(store, "base", "new", 0.05).cells
    jax = cells[cells.arm == "jax:jit"]
    assert not jax.regression.any()
    assert set(jax.verdict) == {"UNDECIDED"}
    assert jax.reason.str.contains("in one of the runs it differs from the reference").all()
    assert cells.regression.sum() == 21


def test_the_table_shows_the_worst_first_and_the_rest_on_stderr(tmp_path, capsys):
    path = two_runs(tmp_path / "s.sqlite", slower=1.1, arms=reporting.SPEED | {"mx:eager": 1.0})
    asked = ("base", "latest", "--fail-on", "5%")
    assert command(path, *asked, "--details") == exitcodes.REGRESSION
    told = capsys.readouterr()
    assert told.out.partition("Every cell")[2].count("REGRESSION") == 28
    assert "mx:eager" not in told.out
    assert "only in new: mlp_digits batch 64 infer mx:eager" in told.err
    assert "28 cell(s) became slower" in told.err


def test_the_table_shows_no_interval_where_something_overrules_it(tmp_path, capsys):
    path = two_runs(tmp_path / "s.sqlite", flags=STEAL)
    assert command(path, "before", "after", "--details") == exitcodes.NOTHING_MEASURED
    told = capsys.readouterr()
    outcome, *table = told.out.splitlines()
    assert outcome == "28 cells: 28 not judged"
    assert sum("not judged" in line for line in table) == 12 + 28
    assert "UNDECIDED" not in told.out
    assert "every round was disturbed (stolen CPU time)" in told.err
    assert "intervals" not in told.err
    assert not re.search(r"\[\d[\d.]*,", told.out)


def test_without_details_the_worst_dozen_is_shown(tmp_path, capsys):
    command(two_runs(tmp_path / "s.sqlite", slower=1.1), "before", "after")
    lines = capsys.readouterr().out.splitlines()
    assert sum("SLOWER" in line for line in lines) == 12
    assert lines[-1] == "and 16 more cells (--details)"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("before", "zz"), "no run has id, label, revision, day or machine 'zz'"),
        (("before", "after", "--fail-on", "fast"), "fast"),
        (("before",), "NEW"),
    ],
)
def test_bad_requests_end_with_2_and_no_traceback(tmp_path, capsys, words, said):
    assert command(two_runs(tmp_path / "s.sqlite", generations=1), *words) == exitcodes.USAGE
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def with_history(path, runs, **changes):
    """A store of two runs and others before them, each of which was slower or faster than the next
    by some percent.
    """
    with open_store(path) as store:
        for number in range(runs):
            changed = {"slower": 1.03 if number % 2 else 1.0} | BASE | changes
            reporting.add_run(store, f"earlier{number}", seed=10 + number, **changed)
    return two_runs(path, slower=1.03)


def width(path):
    with open_store(path) as store:
        found = compare(store, "base", "new")
    return (found.cells.ratio_high / found.cells.ratio_low).median(), found


def test_runs_that_lie_apart_widen_the_interval_between_two(tmp_path):
    narrow, _ = width(two_runs(tmp_path / "few.sqlite", slower=1.03))
    wide, found = width(with_history(tmp_path / "many.sqlite", 6))
    assert wide > 1.05 > narrow
    assert found.spread.sd == pytest.approx(0.016, abs=0.004)
    assert found.error.startswith("runs of this machine vary by 1.6% (sd over 6 other runs)")


def test_between_machines_no_interval_holds_how_far_runs_of_one_lie_apart(tmp_path, capsys):
    with open_store(with_history(tmp_path / "s.sqlite", 6)) as store:
        reporting.add_run(store, "there", seed=1, machine="m2", **BASE)
    command(tmp_path / "s.sqlite", "base", "there")
    assert "do not cover what the two machines differ by" in capsys.readouterr().err


def test_a_slowdown_within_what_runs_differ_by_is_no_regression(tmp_path, capsys):
    few = two_runs(tmp_path / "few.sqlite", slower=1.03)
    many = with_history(tmp_path / "many.sqlite", 6)
    assert command(few, "before", "after", "--fail-on", "1%") == exitcodes.REGRESSION
    assert command(many, "before", "after", "--fail-on", "1%") == exitcodes.OK


@pytest.mark.parametrize(
    ("runs", "changes"),
    [(0, {}), (4, {}), (6, {"machine": "another"}), (6, {"generations": 1}), (6, {"flags": STEAL})],
    ids=("no other run", "four", "of another machine", "without intervals", "disturbed"),
)
def test_where_too_few_runs_tell_the_spread_the_command_says_so(tmp_path, capsys, runs, changes):
    command(with_history(tmp_path / "s.sqlite", runs, **changes), "before", "after")
    assert "within-run error only" in capsys.readouterr().err


def test_runs_of_other_versions_tell_nothing_of_these(tmp_path):
    path = with_history(tmp_path / "s.sqlite", 6)
    with open_store(path) as store, store.writing() as connection:
        connection.exec_driver_sql(
            """UPDATE run SET versions = '{"torch": "2.12.0"}' WHERE run_id LIKE 'earlier%'"""
        )
    assert width(path)[1].spread.sd == pytest.approx(0.016, abs=0.004), "alike among themselves"
    with open_store(path) as store, store.writing() as connection:
        for number in range(6):
            connection.exec_driver_sql(
                f"""UPDATE run SET versions = '{{"torch": "2.{number}.0"}}'
                WHERE run_id = 'earlier{number}'"""
            )
    assert width(path)[1].spread is None


@pytest.mark.parametrize(
    ("slower", "sentence"),
    [
        (1.1, r"28 cells: 28 slower; the worst: \S+ \S+ of \S+, 1\.1x \[1\.\d+, 1\.\d+\] as long"),
        (0.9, "28 cells: 28 faster"),
    ],
)
def test_the_outcome_stands_first(tmp_path, capsys, slower, sentence):
    path = two_runs(tmp_path / "s.sqlite", slower=slower)
    command(path, "before", "after")
    assert re.fullmatch(sentence, capsys.readouterr().out.splitlines()[0])
