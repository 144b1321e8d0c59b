"""Peaks are measured through programs: what a slower product or pass does to them shows."""

import time

import pytest
from dnnbench.execution.peaks import better, near_peak
from dnnbench.execution.record import Record, RecordedVisit
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CellKey
from dnnbench.spec.costs import phase_totals
from dnnbench.spec.phases import Phase
from dnnbench.worker.peaks import Peaks, measure_peaks
from dnnbench_numpy import ops
from dnnbench_numpy.backend import NumpyBackend

pytestmark = pytest.mark.slow


def build(workload, weights):
    return NumpyBackend().build(workload, weights, Arm("numpy", "eager"))


def test_rates_are_those_of_a_computer_and_say_how_they_were_measured():
    found = measure_peaks(build, 4)
    assert 1e9 < found.flops_per_s < 1e14
    assert 1e8 < found.bytes_per_s < 1e12
    assert "1024 x 1024" in found.product
    assert "64 MiB" in found.stream


def test_a_slower_product_lowers_the_peak_by_as_much(monkeypatch):
    honest, real = ops.dense, measure_peaks(build, 4)

    def late(op, x, weight):
        y = honest(op, x, weight)
        time.sleep(0.5)
        return y

    monkeypatch.setattr(ops, "dense", late)
    slow = measure_peaks(build, 4)
    assert slow.flops_per_s < 2 * 1024**3 / 0.5 < real.flops_per_s


LOW = Peaks(1e9, 9e9, "first product", "first stream")
HIGH = Peaks(2e9, 8e9, "second product", "second stream")


def test_of_two_measurements_the_higher_of_each_rate_counts_with_its_source():
    both = Peaks(2e9, 9e9, "second product", "first stream")
    assert better(LOW, HIGH) == better(HIGH, LOW) == both
    assert better(None, LOW) == LOW


@pytest.mark.parametrize(("share", "near"), [(1.5, True), (0.95, True), (0.85, False)])
def test_cells_near_or_above_the_best_product_of_their_device_and_type_are_found(share, near):
    request = Request((find_workload("mlp_digits"),), ("numpy",), Settings(threads=(1,)))
    plan, _ = make_plan(request, Silent())
    (arm,), (case,) = plan.arms, plan.cases
    flops, _ = phase_totals(case.workload, case.batch_size, "infer")
    record = Record(machine_peaks={arm: LOW, Arm("another", "eager"): HIGH})
    call_s = flops / (share * LOW.flops_per_s)
    record.visits[CellKey(arm, case.key, Phase.INFER)] = [
        RecordedVisit(n, 0, 10, 10 * call_s, 0) for n in range(3)
    ]
    assert near_peak(plan, record) == ([(arm, case, "infer")] if near else [])
    assert near_peak(plan, Record(visits=record.visits)) == [], "nobody told a peak"
