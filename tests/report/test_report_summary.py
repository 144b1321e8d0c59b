"""The statistics of a run whose true times are known:
cells, steps and pieces of training, purposes.
"""

import numpy as np
import pytest
from dnnbench.execution.measured import measured
from dnnbench.report.evidence import gather
from dnnbench.report.summary import summarise, summary_only
from dnnbench.stats.estimates import STEPS
from dnnbench.store.columns import COLUMNS, FRAMES
from helpers import reporting
from helpers.reporting import cell


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
        assert np.isnan(found.ratio)
        assert found.verdict is None
        assert found.verdict_reason is None
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
    "another device": (
        {"unequal": "runs on cpu, the others on gpu"},
        "jax:jit",
        "not ranked: runs on cpu",
    ),
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
    assert found.call_s > 0
    assert np.isnan(found.ratio)
    assert found.verdict is None
    assert said in found.verdict_reason


def test_cells_without_a_visit_keep_their_row_and_reason(empty):
    reporting.add_run(empty, "r", generations=0)
    cells = empty.cells("r").cell_id[:3]
    empty.update_cells(
        "r",
        [{"cell_id": c, "status": "failed", "reason": "failed: no answer in 60 s"} for c in cells],
    )
    found = summarise(empty, "r")
    assert len(found) == 2 * 7 * 4
    assert found.call_s.isna().all()
    assert found.reason[:3].tolist() == ["failed: no answer in 60 s"] * 3
    assert found.generations.isna().all()


def test_one_generation_gives_a_time_but_no_interval_and_no_verdict(empty):
    reporting.add_run(empty, "r", generations=1)
    found = cell(summarise(empty, "r"), "jax:jit")
    assert found.ratio == pytest.approx(0.5, rel=0.02)
    assert np.isnan(found.ratio_low)
    assert np.isnan(found.call_s_low)
    assert found.verdict == "UNDECIDED"
    assert "one generation" in found.verdict_reason


def test_steps_of_training_are_differences_within_an_arm(known):
    by_arm = {(s.workload, s.arm): s for s in known.steps}
    assert len(by_arm) == 8
    for (_, arm), steps in by_arm.items():
        truth = dict(zip(STEPS, (1.1e-3, 0.1e-3, 1.8e-3, 1e-3), strict=True))
        assert list(steps.seconds) == list(STEPS)
        for name, found in steps.seconds.items():
            assert found.value == pytest.approx(reporting.SPEED[arm] * truth[name], rel=0.15), (
                arm,
                name,
            )
            assert found.low < found.value < found.high
        assert sum(e.value for e in steps.seconds.values()) == pytest.approx(
            steps.whole.value, rel=0.03
        )


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
    assert update.saved.value == pytest.approx(0.2e-3, rel=0.15)
    assert update.saved.low > 0


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
