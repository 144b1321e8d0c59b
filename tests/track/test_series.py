"""The series of a store's runs: a point a run, broken where its times hang on something else."""

import numpy as np
import pytest
from dnnbench.errors import NothingMeasured, UsageError
from dnnbench.store.store import open_store
from dnnbench.track.history import history
from dnnbench.track.series import Unit
from helpers import nights, reporting
from helpers.nights import add_nights


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "s.sqlite") as opened:
        yield opened


def series(store, **options):
    """By arm."""
    return {trend.series.arm: trend.series for trend in history(store, **options).trends}


def values(one):
    return np.array([point.estimate.value for point in one.points])


def test_every_run_is_a_point_in_units_of_its_control(store):
    add_nights(store, [1.0, 1.0, 1.2])
    torch = series(store)["torch:eager"]
    assert [point.run.run_id for point in torch.points] == ["night000", "night001", "night002"]
    assert values(torch) == pytest.approx([10, 10, 12], rel=0.01)


def test_a_faster_machine_moves_no_point(store):
    add_nights(store, [1.0])
    add_nights(store, [1.0], first=1, machine_speed=0.7)
    assert values(series(store)["torch:eager"]) == pytest.approx([10, 10], rel=0.01)


def test_in_units_of_the_base_the_base_has_no_series(store):
    add_nights(store, [1.0, 1.3])
    by_arm = series(store, unit=Unit.BASE)
    assert list(by_arm) == ["jax:jit"]
    assert values(by_arm["jax:jit"]) == pytest.approx([0.5, 0.5], rel=0.01)


def test_every_point_has_an_interval_that_holds_its_value(store):
    add_nights(store, [1.0])
    (point,) = series(store)["jax:jit"].points
    assert point.estimate.low < point.estimate.value < point.estimate.high


BLAS = {"library": "openblas", "version": "1", "kernels": "Zen"}
CHANGES = {
    "another version": (
        {"versions": reporting.VERSIONS | {"torch": "2.14.0"}},
        "torch 2.13.0 -> 2.14.0",
    ),
    "another kernel": ({"system": {"kernel": "Linux 6.8"}}, "kernel Linux 6.1 -> Linux 6.8"),
    "another control": (
        {"system": nights.SYSTEM | {"blas": [BLAS]}},
        "control none -> openblas 1 Zen",
    ),
    "another specification": ({"spec_hash": "ffff"}, "specification 5bec -> ffff"),
    "another way of timing": (
        {"settings": reporting.SETTINGS["settings"] | {"timing": "latency"}},
        'timing none -> latency',
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_series_breaks_where_its_conditions_change(store, change):
    changes, words = CHANGES[change]
    add_nights(store, [1.0, 1.0])
    add_nights(store, [1.0], first=2, **changes)
    segments = series(store)["torch:eager"].segments
    assert [len(segment.points) for segment in segments] == [2, 1]
    assert segments[1].changes == (words,)


def test_what_breaks_no_series_is_named_beside_a_change(store):
    add_nights(store, [1.0] * 12)
    add_nights(store, [1.2] * 4, first=12, system=nights.SYSTEM | {"governor": "performance"})
    (change,) = [s for s in history(store).change_points if s.series.arm == "torch:eager"]
    assert change.also_changed == ("governor powersave -> performance",)


def test_machines_are_never_mixed(store):
    add_nights(store, [1.0, 1.0], machine="m1")
    add_nights(store, [1.0], first=2, machine="m2")
    shown = history(store)
    assert shown.machine.id == "m2"
    assert [len(trend.series.points) for trend in shown.trends] == [1, 1]
    assert "2 run(s) of other machines are not shown: --machine machine m1" in shown.notes
    assert len(history(store, machine="machine m1").runs) == 2
    with pytest.raises(UsageError, match="no machine of the store is called so"):
        history(store, machine="m3")


def test_a_point_that_something_speaks_against_is_shown_and_not_judged(store):
    from dnnbench.stats.flags import STEAL

    add_nights(store, [1.0])
    add_nights(store, [1.0], first=1, flags=STEAL)
    (segment,) = series(store)["torch:eager"].segments
    assert [bool(point.objection) for point in segment.points] == [False, True]
    assert len(segment.judged) == 1


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_time_of_nothing_is_shown_and_not_judged(store):
    add_nights(store, [1.0], seconds={"infer": 0.0})
    (point,) = series(store)["torch:eager"].points
    assert point.objection == "a time in it is none"


def test_an_arm_that_computes_something_else_is_not_judged(store):
    add_nights(store, [1.0])
    row = {"workload": "mlp_digits", "dtype": "float32", "kind": "loss", "optimizer": ""}
    row |= {"tensor": "loss", "ratio": 9.0, "ok": False, "status": "differs", "reason": "rmse"}
    store.add_agreement("night000", [row | {"arm": "jax:jit"}])
    by_arm = series(store)
    assert by_arm["jax:jit"].points[0].objection.startswith("it differs from the reference")
    assert not by_arm["torch:eager"].points[0].objection


def test_a_run_whose_clock_went_backwards_is_left_out_and_named(store):
    add_nights(store, [1.0, 1.0])
    nights.date_run(store, "night000", 0, hours=-1)
    shown = history(store)
    assert [run.run_id for run in shown.runs] == ["night001"]
    assert "run night000 is left out: it ended" in shown.notes[0]
    nights.date_run(store, "night001", 1, hours=-1)
    with pytest.raises(NothingMeasured, match="the clock went backwards"):
        history(store)


def test_earlier_runs_are_left_out(store):
    add_nights(store, [1.0, 1.0, 1.0])
    shown = history(store, since="2026-09-02T00:00:00.000000+00:00")
    assert [run.run_id for run in shown.runs] == ["night001", "night002"]
    with pytest.raises(NothingMeasured, match="none was begun since 2027-01-01"):
        history(store, since="2027-01-01T00:00:00.000000+00:00")


def test_workloads_are_chosen_by_name(store):
    add_nights(store, [1.0], workloads=("mlp_digits", "cnn_digits"))
    add_nights(store, [1.0], first=1)
    shown = history(store, ["cnn_digits"])
    assert {str(trend.series.key.case) for trend in shown.trends} == {"cnn_digits/64"}
    assert len(shown.runs) == 1
    with pytest.raises(UsageError, match="did you mean 'cnn_digits'"):
        history(store, ["cnn_digit"])


def test_a_store_without_runs_says_so(store):
    with pytest.raises(NothingMeasured, match="holds no run yet"):
        history(store)
