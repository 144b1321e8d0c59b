"""Peaks are measured through programs: what a slower product or pass does to them shows."""

import time

from dnnbench.measure.peaks import measure_peaks
from dnnbench.protocol.arm import Arm
from dnnbench_numpy import ops
from dnnbench_numpy.backend import NumpyBackend


def build(workload, weights):
    return NumpyBackend().build(workload, weights, Arm("numpy", "eager"))


def test_rates_are_those_of_a_computer_and_say_how_they_were_measured():
    found = measure_peaks(build, 4)
    assert 1e9 < found.flops_per_s < 1e14 and 1e8 < found.bytes_per_s < 1e12
    assert "1024 x 1024" in found.product and "64 MiB" in found.stream


def test_a_slower_product_lowers_the_peak_by_as_much(monkeypatch):
    honest, real = ops.dense, measure_peaks(build, 4)

    def late(op, x, weight):
        y = honest(op, x, weight)
        time.sleep(0.5)
        return y

    monkeypatch.setattr(ops, "dense", late)
    slow = measure_peaks(build, 4)
    assert slow.flops_per_s < 2 * 1024**3 / 0.5 < real.flops_per_s
