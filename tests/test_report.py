"""What a report says of a run whose true times are known."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import reporting
from dnnbench.cli.main import main
from dnnbench.cli.run_json import run_document
from dnnbench.errors import StoreError, UsageError
from dnnbench.measure.contention import UNSETTLED
from dnnbench.measure.statistics import STEPS
from dnnbench.report import charts, html, palette, quantity, terminal
from dnnbench.report.evidence import gather
from dnnbench.report.side_by_side import side_by_side
from dnnbench.report.summary import summarise, summary_only
from dnnbench.run.measured import measured
from dnnbench.run.twins import twin_doubt, twins_of
from dnnbench.store.columns import COLUMNS, FRAMES
from dnnbench.store.store import open_store
from rich.console import Console


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Six quiet generations with everything in them."""
    with open_store(tmp_path_factory.mktemp("report") / "known.sqlite") as opened:
        reporting.add_run(opened, "known", generations=6, notes=["numpy:eager stays on the CPU"], skipped={"a": "b"})
        reporting.add_facts(opened, "known")
        yield opened


@pytest.fixture(scope="module")
def known(store):
    return gather(store, "known")


@pytest.fixture
def empty(tmp_path):
    with open_store(tmp_path / "new.sqlite") as opened:
        yield opened


def cell(frame, arm, phase="infer", workload="mlp_digits"):
    (row,) = frame[(frame.arm == arm) & (frame.phase == phase) & (frame.workload == workload)].itertuples()
    return row


# The statistics of every cell.


def test_the_summary_has_the_registered_columns_and_types(known):
    assert tuple(known.cells.columns) == FRAMES["cells"] + FRAMES["summary"][1:]
    assert {name: str(known.cells[name].dtype) for name in FRAMES["summary"]} == {
        name: COLUMNS[name].dtype for name in FRAMES["summary"]
    }
    assert tuple(summary_only(known.cells).columns) == FRAMES["summary"]


@pytest.mark.parametrize("workload", reporting.WORKLOADS)
@pytest.mark.parametrize("phase", reporting.SECONDS)
@pytest.mark.parametrize("arm", reporting.SPEED)
def test_the_summary_finds_the_true_times_and_ratios(known, workload, phase, arm):
    found, speed = cell(known.cells, arm, phase, workload), reporting.SPEED[arm]
    assert found.call_s == pytest.approx(speed * reporting.SECONDS[phase], rel=0.05)
    assert found.call_s_low < found.call_s < found.call_s_high
    assert (found.generations, found.visits, found.rounds_dropped) == (6, 6 * 24, 0)
    if arm == reporting.BASE:
        assert np.isnan(found.ratio) and found.verdict is None and found.verdict_reason is None
    else:
        assert found.ratio == pytest.approx(speed, rel=0.01)
        assert found.ratio_low < found.ratio < found.ratio_high
        assert found.verdict == ("SLOWER" if speed > 1 else "FASTER")
        assert 0.02 < found.smallest_difference < 0.04


def test_an_arm_like_the_base_is_the_same_and_the_control_arm_is_no_row(empty):
    reporting.add_run(empty, "r", generations=6, arms=reporting.SPEED | {"torch:compile": 1.0})
    found = summarise(empty, "r")
    assert cell(found, "torch:compile").verdict == "SAME"
    assert "control" not in set(found.arm)


def test_contended_rounds_are_dropped_for_all_arms_of_their_case_only(empty):
    cells = reporting.add_run(empty, "r", generations=2)
    samples = empty.samples(cells)
    one = samples[samples.cell_id == cells[0]]
    block = one[["round", "position", "k", "seconds", "flags"]].to_numpy(float)[:24]
    block[:5, 4] = 1
    empty.add_generation("r", 2, {}, {cells[0]: block})
    found = measured(empty, "r")
    assert sorted(map(len, found.dropped.values())) == [0, 5]
    assert summarise(empty, "r").set_index("cell_id").loc[cells[0], "rounds_dropped"] == 5


UNRANKED = {
    "another device": ({"unequal": "runs on cpu, the others on gpu"}, "jax:jit", "not ranked: runs on cpu"),
    "failed half-way": (
        {"status": "failed", "reason": "failed: killed by signal 9"},
        "jax:jit",
        "not ranked: failed: killed",
    ),
    "other group": ({"rank_group": "float64"}, "jax:jit", "not ranked: measured as float64"),
    "base disagrees": (
        {"unequal": "disagrees with the reference"},
        "torch:eager",
        "the base torch:eager disagrees",
    ),
    "base failed": (
        {"status": "failed", "reason": "failed: x"},
        "torch:eager",
        "torch:eager was not measured here",
    ),
}


@pytest.mark.parametrize("case", UNRANKED)
def test_what_may_not_be_ranked_has_a_time_and_a_reason_but_no_ratio(empty, case):
    change, arm, said = UNRANKED[case]
    reporting.add_run(empty, "r")
    cells = empty.cells("r")
    empty.update_cells("r", [{"cell_id": c, **change} for c in cells.cell_id[cells.arm == arm]])
    found = cell(summarise(empty, "r"), "jax:jit")
    assert found.call_s > 0 and np.isnan(found.ratio) and found.verdict is None
    assert said in found.verdict_reason


def test_cells_without_a_visit_keep_their_row_and_reason(empty):
    reporting.add_run(empty, "r", generations=0)
    cells = empty.cells("r").cell_id[:3]
    empty.update_cells("r", [{"cell_id": c, "status": "failed", "reason": "failed: no answer in 60 s"} for c in cells])
    found = summarise(empty, "r")
    assert len(found) == 2 * 7 * 4 and found.call_s.isna().all()
    assert found.reason[:3].tolist() == ["failed: no answer in 60 s"] * 3
    assert found.generations.isna().all()


def test_one_generation_gives_a_time_but_no_interval_and_no_verdict(empty):
    reporting.add_run(empty, "r", generations=1)
    found = cell(summarise(empty, "r"), "jax:jit")
    assert found.ratio == pytest.approx(0.5, rel=0.02) and np.isnan(found.ratio_low) and np.isnan(found.call_s_low)
    assert found.verdict == "UNDECIDED" and "one generation" in found.verdict_reason


# Steps, pieces, purposes.


def test_steps_of_training_are_differences_within_an_arm(known):
    by_arm = {(s.workload, s.arm): s for s in known.steps}
    assert len(by_arm) == 8
    for (_, arm), steps in by_arm.items():
        truth = dict(zip(STEPS, (1.1e-3, 0.1e-3, 1.8e-3, 1e-3), strict=True))
        assert list(steps.seconds) == list(STEPS)
        for name, found in steps.seconds.items():
            assert found.value == pytest.approx(reporting.SPEED[arm] * truth[name], rel=0.15), (arm, name)
            assert found.low < found.value < found.high
        assert sum(e.value for e in steps.seconds.values()) == pytest.approx(steps.whole.value, rel=0.03)


def test_a_step_that_costs_nothing_may_be_negative(empty):
    reporting.add_run(empty, "r", seconds=reporting.SECONDS | {"loss": 1.05e-3})
    found = {s.arm: s.seconds["loss calculation"] for s in gather(empty, "r").steps}
    assert found["torch:eager"].value == pytest.approx(-0.05e-3, rel=0.3)


def test_pieces_alone_stand_beside_the_whole_step(known):
    found = {(p.workload, p.arm, p.name): p for p in known.pieces}
    assert len(found) == 16
    update = found["mlp_digits", "torch:eager", "weight update"]
    assert update.alone.value == pytest.approx(1.2e-3, rel=0.05)
    assert update.inside.value == pytest.approx(1e-3, rel=0.05)
    assert update.saved.value == pytest.approx(0.2e-3, rel=0.15) and update.saved.low > 0


def test_training_stands_beside_inference(known):
    found = [(p.workload, p.arm, p.name) for p in known.purposes]
    assert found[:2] == [
        ("mlp_digits", "numpy:eager", "training"),
        ("mlp_digits", "numpy:eager", "inference"),
    ]
    assert len(found) == len(set(found)) == 16
    torch = next(p for p in known.purposes if (p.arm, p.name) == ("torch:eager", "inference"))
    assert torch.flops_per_s == pytest.approx(1e10, rel=0.05)
    assert torch.examples_per_s == pytest.approx(64e3, rel=0.05)
    assert torch.example_s * torch.examples_per_s == pytest.approx(1)
    assert (torch.start_s, torch.peak_rss_bytes, torch.peak_device_bytes) == (2.6, 3 * 10**8, None)


# The terminal.


def printed(evidence, width=100):
    console = Console(width=width, highlight=False, force_terminal=False, record=True, file=io.StringIO())
    for part in terminal.run_tables(evidence):
        console.print(part)
    return console.export_text()


def test_the_terminal_shows_the_fastest_first_in_a_hundred_columns(known):
    text = printed(known)
    assert "…" not in text and max(map(len, text.splitlines())) <= 100
    training = text[text.index("train_step") : text.index("infer")]
    order = [re.search(r"(\w+:\w+)", line)[1] for line in training.splitlines() if ":" in line]
    assert order == ["jax:jit", "torch:eager", "tensorflow:graph", "numpy:eager"]
    assert re.search(r"jax:jit +2\.0\d +\[[\d., ]+\] +0\.(49|50)\d +\[0\.\d+, 0\.\d+\] +FASTER +3\d,\d{3} ✓", training)
    assert "✗" in text[text.index("Agreement") :]
    assert len(text.splitlines()) < 70


def test_unsteady_warm_ups_and_the_null_arm_stand_in_the_tables(empty, tmp_path):
    cells = reporting.add_run(empty, "r", generations=2)
    steady = gather(empty, "r")
    assert set(steady.cells.no_steady_state) == {0} and "~" not in printed(steady) and steady.null_call_s is None
    (infer,) = empty.cells("r").query("arm == 'jax:jit' and phase == 'infer' and workload == 'mlp_digits'").cell_id
    samples = empty.samples(cells)
    block = samples[(samples.cell_id == infer) & (samples.generation == 0)]
    block = block[["round", "position", "k", "seconds", "flags"]].to_numpy(float)
    block[:, 4] = UNSETTLED
    empty.add_generation("r", 2, {}, {infer: block})
    found = gather(empty, "r")
    assert cell(found.cells, "jax:jit").no_steady_state == 1 == (found.cells.no_steady_state > 0).sum()
    assert cell(found.cells, "jax:jit").rounds_dropped == 0
    text = printed(found)
    assert "~ jax:jit (infer): no_steady_state 1/3 generations" in text and text.count("~") == 2
    page = html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()
    assert page.count("no_steady_state 1/3") == 1


def test_the_page_tells_how_the_machine_was_set_up_for_this_run_and_not_for_the_last(empty, tmp_path):
    reporting.add_run(empty, "first", generations=1, facts=[{"system": {"governor": "first governor"}}])
    reporting.add_run(empty, "old", generations=1)
    page = html.render_report([empty], tmp_path / "page.html", runs=["first"]).read_text()
    assert "first governor" in page and "Linux 6.1" not in page
    page = html.render_report([empty], tmp_path / "page.html", runs=["old"]).read_text()
    assert "Linux 6.1" in page, "the machine's facts, where the run keeps none of its own"


def test_what_any_generation_compiled_while_it_was_timed_is_a_doubt(empty):
    reporting.add_run(empty, "quiet")
    assert gather(empty, "quiet").doubts == []
    reporting.add_run(empty, "r", facts=[{}, *({"compiled_late": {"jax:jit mlp_digits/64": n}} for n in (3, 1))])
    found = gather(empty, "r")
    (doubt,) = found.doubts
    assert doubt.startswith("jax:jit mlp_digits/64: compiled 3 program(s) after warming up") and doubt in printed(found)


SPEC = {"weights": 4 * 10**5, "optimizer": 8 * 10**5, "gradients": 4 * 10**5, "activations": 10**6, "batch": 7}
HELD = {
    "before_build_bytes": 10**8,
    "weights_bytes": 4 * 10**5,
    "optimizer_bytes": 8 * 10**5,
    "by_spec": {"train_step": SPEC},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "400 kB 800 kB 400 kB 1.00 MB 200 MB"),
        ({"optimizer_bytes": 12 * 10**5}, "400 kB 1.20 MB (spec 800 kB) 400 kB 1.00 MB 200 MB"),
        ({"before_build_bytes": None}, "400 kB 800 kB 400 kB 1.00 MB –"),
    ],
)
def test_memory_is_told_by_part(empty, tmp_path, change, words):
    cells = reporting.add_run(empty, "r", generations=0)
    block = reporting.visits(np.arange(9), np.zeros(9), 1e-3, np.random.default_rng(0))
    empty.add_generation("r", 0, {"memory": {"jax:jit mlp_digits/64": HELD | change}}, {cells[0]: block})
    (row,) = gather(empty, "r").memory
    assert (row.arm, row.phase, row.peak_rss, row.peak_device) == ("jax:jit", "train_step", 3 * 10**8, None)
    (line,) = [line for line in printed(gather(empty, "r")).splitlines() if "400 kB" in line]
    assert " ".join(line.split()) == f"mlp_digits/64 train_step jax:jit {words}" and len(line) <= 100
    assert run_document(empty, "r")["memory"] == [row.to_json()]
    assert "Memory by part" in html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()


TWIN = f"{reporting.BASE}#twin"


@pytest.mark.parametrize(("speed", "covers"), [(1.0, True), (1.03, False)])
def test_a_twin_that_is_not_like_the_base_takes_every_verdict_away(empty, tmp_path, speed, covers):
    reporting.add_run(empty, "r", generations=6, arms=reporting.SPEED | {TWIN: speed})
    found = gather(empty, "r")
    assert TWIN not in set(found.cells.arm) and len(found.twins) == len(reporting.WORKLOADS) * len(reporting.SECONDS)
    assert all(twin.covers for twin in found.twins) is covers
    assert all(twin.ratio.value == pytest.approx(speed, rel=0.02) for twin in found.twins)
    judged = found.cells[(found.cells.arm != reporting.BASE)]
    assert set(judged.verdict) == ({"FASTER", "SLOWER"} if covers else {"UNDECIDED"})
    text = printed(found)
    assert ("against itself came out as 1.0" in text, "NO" in text.split()) == (not covers, not covers)
    assert "The base over itself" in html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()
    (document,) = {twin["covers_1"] for twin in run_document(empty, "r")["twins"]}
    assert document is covers


def test_a_run_without_a_twin_tells_of_none_and_one_generation_of_no_interval(empty, known):
    assert known.twins == [] and "Twin" not in printed(known)
    reporting.add_run(empty, "r", generations=1, arms={reporting.BASE: 1.0, TWIN: 1.0})
    found = gather(empty, "r")
    assert {twin.covers for twin in found.twins} == {None} and "gives no interval" in printed(found)


def test_the_intervals_of_all_twins_hold_together(empty):
    """Of 40 honest runs of fourteen phases, plain 95 % intervals would doubt about half."""
    doubted = 0
    for seed in range(40):
        reporting.add_run(
            empty,
            f"r{seed}",
            seed=seed,
            generations=3,
            arms={reporting.BASE: 1.0, TWIN: 1.0},
            workloads=("mlp_digits",),
        )
        doubted += bool(twin_doubt(twins_of(measured(empty, f"r{seed}"))))
    assert doubted <= 6


def test_what_the_harness_takes_is_told(empty, tmp_path):
    reporting.add_run(empty, "r", generations=0)
    cells = empty.cells("r").cell_id
    block = reporting.visits(np.arange(9), np.zeros(9), 1e-3, np.random.default_rng(0))
    empty.add_generation("r", 0, {"null_call_s": {"median": 2.5e-7, "p90": 3e-7, "max": 9e-7}}, {cells[0]: block})
    assert "does nothing): 250 ns a call" in printed(gather(empty, "r"))
    assert "takes 250 ns a call" in html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()


def test_the_terminal_tells_why_a_cell_has_no_verdict(empty):
    cells = reporting.add_run(empty, "r", generations=1)
    empty.update_cells("r", [{"cell_id": cells[3], "status": "failed", "reason": "failed: killed by signal 9"}])
    text = printed(gather(empty, "r"), width=160)
    assert "jax:jit (infer): not ranked: failed: killed by signal 9" in text
    assert "one generation gives no interval" in text and "not checked" in text


def test_agreement_shows_the_worst_tensor_of_each(store):
    rows = store.agreement("known").to_dict("records")
    rows.append(rows[0] | {"kind": "state", "tensor": "bn/mean", "ratio": float("nan"), "ok": False})
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(terminal.agreement_table(rows))
    text = console.export_text()
    assert len(text.splitlines()) == 1 + 16
    first = next(line for line in text.splitlines() if rows[0]["arm"] in line and rows[0]["workload"] in line)
    assert "✗" in first and "bn/mean" in first


# The page.


def page(*runs, **options):
    return html.page_of(list(runs), **options)


LOADS = re.compile(r"""\bsrc\s*=|<link|@import|url\(|<script|<iframe|<object|https?:|\bon\w+\s*=\s*["']""", re.I)


@pytest.fixture(scope="module")
def whole(known):
    return page(known)


def test_the_page_refers_to_nothing_outside_itself(whole):
    assert LOADS.findall(whole) == []
    assert_links_lead_somewhere(whole)


def assert_links_lead_somewhere(text):
    targets = re.findall(r'href="([^"]*)"', text)
    assert targets and set(targets) <= {f"#{name}" for name in re.findall(r'\bid="([^"]+)"', text)}


TOLD = [
    "Verdict",
    "Ratio to torch:eager",
    "The four steps of training",
    "Pieces run alone",
    "Training beside inference",
    "Every cell",
    "Agreement",
    "Training curves",
    "How to read this",
    "Left out, and why",
    "numpy:eager stays on the CPU",
    "a: b",
    "Example CPU 9000",
    "<dt>torch</dt><dd>2.13.0</dd>",
    "<dt>governor</dt><dd>absent</dd>",
    "is faster than torch:eager",
    "are slower than torch:eager",
    "examples a second",
    "rmse 7.0e-06, allowed 1.0e-06",
]


def test_the_page_says_what_the_issue_asks_of_it(whole):
    missing = [told for told in TOLD if told not in whole]
    assert missing == []
    assert whole.count("<svg") == 2 + 2 + 2
    assert whole.count("<tr><th scope") + whole.count("<tr><td>") + whole.count("<tr>\n") > 56


def test_every_cell_has_a_row_with_its_colour(known, whole):
    places = palette.places(known.cells.backend)
    assert len(set(places.values())) == 4
    for arm, backend in zip(known.cells.arm, known.cells.backend, strict=True):
        assert f'<span class="arm b{places[backend]}" title="{arm}">{arm}</span>' in whole


def test_labels_are_escaped_wherever_they_stand(empty):
    nasty = "<script>alert(1)</script>\"'&"
    arms = {"torch:eager": 1.0, nasty: 2.0}
    reporting.add_run(
        empty,
        "r",
        arms=arms,
        label=nasty,
        workloads=(nasty,),
        notes=[nasty],
        skipped={nasty: nasty},
        base=nasty,
    )
    text = page(gather(empty, "r"))
    assert "alert(1)" in text and "<script" not in text and 'alert(1)</script>"' not in text
    assert LOADS.findall(text) == []


def test_a_run_with_nothing_but_training_curves_has_a_page(empty):
    reporting.add_run(empty, "r", generations=0, arms={}, workloads=())
    reporting.add_epochs(empty, "r", ["torch:eager", "jax:jit"])
    text = page(gather(empty, "r"))
    assert text.count("<svg") == 2 and "Training curves" in text and "Ratio to" not in text
    assert_links_lead_somewhere(text)
    assert re.search(r"0\.96\d*</td>", text)


def test_a_regression_shows_its_test_loss(empty, monkeypatch):
    task = {"metric": "loss", "target": 0.55}
    monkeypatch.setitem(reporting.SETTINGS, "workloads", [{"name": "mlp_table", "task": task}])
    reporting.add_run(empty, "r", generations=0, arms={}, workloads=())
    row = {
        "arm": "numpy:eager",
        "workload": "mlp_table",
        "dtype": "float32",
        "accuracy": None,
        "n_test": 89,
        "wrong": 0,
    }
    losses = [0.9, 0.6, 0.5125]
    empty.add_epochs(
        "r", [row | {"epoch": e, "loss": 1 / e, "test_loss": loss, "seconds": 0.1} for e, loss in enumerate(losses, 1)]
    )
    text = page(gather(empty, "r"))
    assert text.count("<svg") == 2 and "mlp_table in float32: test loss" in text
    assert re.search(r">0\.5125</td>.*test loss 0\.55", text, re.S)


def test_without_the_extra_the_page_says_what_to_install_and_keeps_its_tables(known, monkeypatch):
    monkeypatch.setattr(charts, "find_spec", lambda name: None)
    text = page(known)
    assert "charts need pip install &#39;dnnbench[report]&#39;" in text
    assert "<svg" not in text and text.count("<table") >= 6


def test_charts_take_what_no_interval_and_extreme_ratios_bring(empty):
    reporting.add_run(
        empty, "r", generations=1, arms=reporting.SPEED | {"numpy:other": 5000.0, "torch:compile": 1.0001}
    )
    drawn = page(gather(empty, "r"))
    assert drawn.count("<svg") == 4 and "NaN" not in drawn and "Infinity" not in drawn


def test_a_page_that_cannot_be_written_is_an_error_that_says_so(store, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        html.render_report([store], tmp_path, runs=["known"])
    with pytest.raises(UsageError, match="expected machine"):
        html.render_report([store], tmp_path / "x.html", runs=["known"], by="colour")


# Machines side by side.


def test_machines_stand_side_by_side_with_ratios_and_without_verdicts(store, known, empty):
    reporting.add_run(empty, "other", machine="m2", machine_speed=0.5, workloads=("cnn_digits",))
    both = [known, gather(empty, "other")]
    found = side_by_side(both)
    assert found.machines == ["machine m1", "machine m2"] and len(found.cells) == 28
    assert found.cells[0].phase == "train_step" and {c.workload for c in found.cells} == {"cnn_digits"}
    for shared in found.cells:
        assert shared.ratios[0] is None and shared.ratios[1].value == pytest.approx(0.5, rel=0.1)
    text = page(*both, by="machine")
    assert "machine m2 / machine m1" in text and LOADS.findall(text) == []
    assert_links_lead_somewhere(text)


def test_machines_of_one_name_are_told_apart(known, empty):
    reporting.add_run(empty, "other")
    assert side_by_side([known, gather(empty, "other")]).machines == [
        "machine m1 (known)",
        "machine m1 (other)",
    ]


@pytest.mark.parametrize("change", [{"spec_hash": "ffff"}, {"arms": {"mx:eager": 1.0}}, {"workloads": ("w",)}])
def test_machines_without_a_common_cell_are_refused(known, empty, change):
    reporting.add_run(empty, "other", machine="m2", **change)
    with pytest.raises(UsageError, match="no cell in common"):
        side_by_side([known, gather(empty, "other")])
    with pytest.raises(UsageError, match="two machines or more"):
        side_by_side([known])


# Numbers, colours, and the command.

WRITTEN = [
    (quantity.digits, 0.0123, "0.0123"),
    (quantity.digits, 1234.5, "1,230"),
    (quantity.digits, 9.996, "10.0"),
    (quantity.digits, 0, "0"),
    (quantity.digits, 73.2e9, "7.3e+10"),
    (quantity.digits, 6.2e-9, "6.2e-09"),
    (quantity.digits, 12_345_67, "1,230,000"),
    (quantity.digits, -0.05, "-0.0500"),
    (quantity.digits, float("inf"), "∞"),
    (quantity.digits, float("nan"), "–"),
    (quantity.milliseconds, 0.00123, "1.23"),
    (quantity.seconds, 0.00123, "1.23 ms"),
    (quantity.seconds, 0.9999, "1.00 s"),
    (quantity.seconds, 2.5e-5, "25.0 µs"),
    (quantity.seconds, 0, "0 ns"),
    (quantity.scaled, (1234567, "B"), "1.23 MB"),
    (quantity.scaled, (0, "B"), "0 B"),
    (quantity.ratio, 0.5, "0.500"),
    (quantity.ratio, 1.0034, "1.003"),
    (quantity.ratio, 31.24, "31.2"),
    (quantity.interval, (0.5, None), ""),
    (quantity.interval, (0.5, 1.25), "[0.500, 1.25]"),
    (quantity.percent, 0.02, "2 %"),
    (quantity.percent, 0.0123, "1.2 %"),
    (quantity.percent, 1.5, "150 %"),
    (quantity.throughput, 126862.3, "126,862"),
    (quantity.throughput, None, "–"),
]


@pytest.mark.parametrize(("show", "value", "text"), WRITTEN)
def test_numbers_are_written_as_people_read_them(show, value, text):
    assert show(*value if isinstance(value, tuple) else (value,)) == text


def test_a_backend_keeps_its_colour_from_page_to_page():
    four = palette.places(["torch", "jax", "numpy", "tensorflow"])
    assert len(set(four.values())) == 4
    assert palette.places(["torch"])["torch"] == four["torch"]
    assert len(set(palette.places(f"b{i}" for i in range(7)).values())) == 7
    assert len(palette.places(f"b{i}" for i in range(20))) == 20


def test_the_command_writes_the_newest_run_of_each_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with open_store("results/dnnbench.sqlite") as opened:
        for run, machine in (("r1", "m1"), ("r2", "m1"), ("r3", "m2")):
            reporting.add_run(opened, run, machine=machine, generations=2, workloads=("w",))
    assert main(["report", "--by", "machine", "-o", "out/page.html", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 1 and [run["run_id"] for run in told["runs"]] == ["r2", "r3"]
    assert "machine m2 / machine m1" in Path("out/page.html").read_text()
    assert main(["report"]) == 0
    assert capsys.readouterr().out == "results/report.html\n"
    assert "Run r3" in Path("results/report.html").read_text()


REFUSED = {
    "no store": (("report", "none.sqlite"), "none.sqlite"),
    "no such run": (("report", "--run", "zz"), "no run has id, label or revision 'zz'"),
    "one machine": (("report", "--by", "machine"), "two machines or more"),
    "nothing to merge": (("merge", "a.sqlite", "none.sqlite"), "none.sqlite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_reported_is_said_without_a_traceback(tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    with open_store("results/dnnbench.sqlite") as opened:
        reporting.add_run(opened, "r1", generations=1, workloads=("w",))
    words, said = REFUSED[case]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told


def test_the_command_merges_another_machines_store(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        with open_store(f"{name}.sqlite") as opened:
            reporting.add_run(opened, f"run-{name}", machine=name, generations=1, workloads=("w",))
    assert main(["merge", "a.sqlite", "b.sqlite"]) == 0
    assert capsys.readouterr().out.startswith("1 run added to a.sqlite")
    assert main(["merge", "a.sqlite", "b.sqlite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"]["run"] == 0
    with open_store("a.sqlite") as opened:
        assert opened.runs().run_id.tolist() == ["run-a", "run-b"]
