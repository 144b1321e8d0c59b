"""A run in which backends misbehave, or which asks for what there is not."""

import json

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.store.store import open_store
from helpers.running import FAST, TINY, cells_of, dnnbench

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.slow]

FAILING = {
    "crash": "killed by signal 9",
    "raise": "this step always fails",
    "stop": "stopped from outside",
}
"""What a table says of each mode whose train_step fails."""


@pytest.fixture(scope="module")
def failed(tmp_path_factory, cache):
    """A run of NumPy beside arms that fail, and the folder of its store."""
    folder = tmp_path_factory.mktemp("failed")
    (folder / "tiny.toml").write_text(TINY)
    arms = ",".join(["numpy", *(f"saboteur:{mode}" for mode in FAILING)])
    return dnnbench(folder, "run", "tiny.toml", "--backend", arms, "--no-check", *FAST), folder


@pytest.mark.parametrize("mode", FAILING)
def test_what_fails_costs_its_cell(failed, mode):
    done, folder = failed
    status, reason, count = cells_of(folder)[f"saboteur:{mode}", "train_step"]
    assert status == "failed"
    assert FAILING[mode] in reason
    assert count == 0
    assert FAILING[mode] in done.stdout, "the row says so"


@pytest.mark.parametrize("arm", ["numpy:eager", *(f"saboteur:{mode}" for mode in FAILING)])
def test_what_fails_costs_no_other_cell(failed, arm):
    _, folder = failed
    cells = cells_of(folder)
    others = {phase: cells[arm, phase] for phase in ("infer", "forward", "gradients")}
    assert {phase: status for phase, (status, _, _) in others.items()} == dict.fromkeys(
        others, "ok"
    )
    assert all(count > 0 for _, _, count in others.values()), others


def test_a_run_in_which_something_fails_ends_with_code_1(failed):
    done, _ = failed
    assert done.returncode == exitcodes.FAILED, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.exhaustive  # tests/worker/test_process.py ends a call that hangs, often
def test_a_hanging_step_costs_its_cell(place):
    impatient = {
        "dnnbench.worker.clients.base:Client.__init__": "helpers.stand_ins:of_eight_seconds"
    }
    arguments = (
        "run",
        "tiny.toml",
        "--backend",
        "numpy,saboteur:hang",
        "--no-check",
        "--phase",
        "infer,train_step",
    )
    done = dnnbench(place, *arguments, *FAST, changes=impatient)
    assert done.returncode == 1, done.stderr
    cells = cells_of(place)
    assert cells["saboteur:hang", "train_step"][0] == "failed"
    assert "no answer in 8 s" in cells["saboteur:hang", "train_step"][1]
    assert cells["saboteur:hang", "infer"][2] > 0
    assert cells["numpy:eager", "train_step"][2] > 0


@pytest.mark.exhaustive  # tests/worker/test_process.py asks a worker that prints
def test_rubbish_on_stdout_harms_nothing(place):
    done = dnnbench(
        place, "run", "tiny.toml", "--backend", "saboteur:rubbish", "--phase", "train_step", *FAST
    )
    assert done.returncode == 0, done.stderr
    assert cells_of(place)["saboteur:rubbish", "train_step"][2] > 0
    assert "rubbish on stdout" not in done.stdout


@pytest.mark.slow
def test_an_arm_that_disagrees_is_timed_marked_and_not_ranked(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy,saboteur:wrong", "--json", *FAST)
    assert done.returncode == 1
    cells = {(c["arm"], c["phase"]): c for c in json.loads(done.stdout)["cells"]}
    wrong = cells["saboteur:wrong", "train_step"]
    assert wrong["call_s"] > 0
    assert "differs from the reference" in wrong["unequal"]
    assert wrong["ratio"] is None
    assert wrong["verdict"] is None
    assert cells["numpy:eager", "train_step"]["unequal"] is None


@pytest.mark.slow
def test_check_alone_tells_what_differs_from_what_could_not_run(place):
    arms = "numpy,saboteur:wrong,saboteur:raise,saboteur:honest"
    done = dnnbench(
        place,
        "check",
        "tiny.toml",
        "--backend",
        arms,
        "--threads",
        "1",
        "--dtype",
        "float64",
        "--json",
    )
    rows = json.loads(done.stdout)["agreement"]
    assert done.returncode == 1
    statuses = {(row["arm"], row["status"]) for row in rows if not row["ok"]}
    assert statuses == {("saboteur:wrong", "differs"), ("saboteur:raise", "could not run")}
    assert {row["status"] for row in rows if row["ok"]} == {"agrees"}


@pytest.mark.slow
def test_an_arm_that_raises_has_no_figure_and_is_not_said_to_disagree(place):
    done = dnnbench(
        place,
        "check",
        "tiny.toml",
        "--backend",
        "saboteur:raise",
        "--threads",
        "1",
        "--dtype",
        "float64",
    )
    [line] = [line for line in done.stderr.splitlines() if "always fails" in line]
    assert "saboteur:raise tiny float64: could not run: " in line
    assert "times the allowance" not in line
    assert "1 arm(s), 0 comparisons, 0 differ, 1 could not run" in done.stderr
    assert "could not run" in done.stdout
    assert "∞" not in done.stdout


HOT = TINY.replace("[task]", '[task]\noptimizer = { kind = "sgd", learning_rate = 1e300 }')


@pytest.mark.slow
def test_where_the_reference_is_not_finite_nothing_is_compared(place):
    (place / "hot.toml").write_text(HOT)
    done = dnnbench(
        place,
        "check",
        "hot.toml",
        "--backend",
        "numpy",
        "--threads",
        "1",
        "--dtype",
        "float64",
        "--json",
    )
    rows = json.loads(done.stdout)["agreement"]
    found = {row["kind"]: row for row in rows if row["optimizer"] in ("", "sgd")}
    assert done.returncode == 1
    assert found["outputs"]["status"] == "agrees"
    assert found["weights@5"]["status"] == "not compared"
    assert found["weights@5"]["ratio"] is None


@pytest.mark.slow
def test_nothing_measured_is_code_4(place):
    arguments = (
        "run",
        "tiny.toml",
        "--backend",
        "saboteur:raise",
        "--phase",
        "train_step",
        "--no-check",
    )
    done = dnnbench(place, *arguments, *FAST)
    assert done.returncode == 4
    assert "nothing could be measured" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "tinny.toml"), "did you mean"),
        (("run", "tiny.toml", "--backend", "torhc"), "did you mean 'torch'"),
        (("run", "tiny.toml", "--backend", "numpy:jit"), "numpy has no mode 'jit'"),
        (
            ("run", "tiny.toml", "--backend", "numpy", "--device", "gpux"),
            "device 'gpux' is not known",
        ),
        (("run", "tiny.toml", "--backend", "numpy", "--device", "gpu"), "computes on cpu alone"),
        (("run", "tiny.toml", "--backend", "numpy", "--batch-size", "0"), "whole numbers"),
        (("run", "tiny.toml", "--backend", "numpy", "--max-time", "soon"), "expected a time"),
        (("run", "tiny.toml", "--backend", "numpy", "--precision", "110%"), "expected a share"),
        (("run", "tiny.toml", "--backend", "numpy", "--phase", "trian"), "expected all or some of"),
        (("run", "tiny.toml", "--backend", "numpy", "--base", "jax"), "is not among the arms"),
        (
            ("run", "tiny.toml", "--backend", "numpy", "--weights", "none.safetensors"),
            "no such weights file",
        ),
        (("run", "tiny.toml", "--backend", "numpy", "--threads", "4096"), "ask for 1 to"),
        (("run", "tiny.toml", "--backend", "numpy", "--store", "/dev/null/x.sqlite"), "/dev/null"),
        (("run", "--resume", "latest", "--wait", "--store", "nowhere.sqlite"), "nowhere.sqlite"),
    ],
)
def test_bad_requests_end_with_code_2_and_say_what_to_do(
    place, monkeypatch, capsys, arguments, words
):
    """In this process: one that is refused starts no other."""
    monkeypatch.chdir(place)
    monkeypatch.setenv(
        "DNNBENCH_LOCK", str(place / "lock")
    )  # another test may hold the one of this session
    assert main(list(arguments)) == exitcodes.USAGE
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_device_that_a_third_party_s_backend_has_not_is_refused(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "saboteur", "--device", "gpu")
    assert done.returncode == exitcodes.USAGE
    assert "saboteur has cpu" in done.stderr


def test_an_interpreter_that_is_not_there_is_told_before_anything_starts(place):
    arms = "numpy,numpy@/nowhere/bin/python"
    done = dnnbench(
        place, "run", "tiny.toml", "--backend", arms, "--phase", "infer", "--no-check", *FAST
    )
    assert done.returncode == 2, done.stderr
    assert "'@/nowhere/bin/python' is neither an environment" in done.stderr
    assert "dnnbench envs create" in done.stderr
    assert not (place / "results").exists()


@pytest.mark.exhaustive  # one case's crash is tested above
@pytest.mark.slow
def test_a_crash_in_every_case_costs_only_its_cells(place):
    arguments = (
        "run",
        "tiny.toml",
        "--backend",
        "numpy,saboteur:crash",
        "--no-check",
        "--phase",
        "infer,train_step",
    )
    done = dnnbench(place, *arguments, "--batch-size", "1,2", *FAST)
    assert done.returncode == 1, done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
    crashing = cells[cells["arm"] == "saboteur:crash"]
    assert dict(
        zip(
            zip(crashing["batch_size"], crashing["phase"], strict=True),
            crashing["status"],
            strict=True,
        )
    ) == {
        (size, phase): status
        for size in (1, 2)
        for phase, status in (("infer", "ok"), ("train_step", "failed"))
    }
