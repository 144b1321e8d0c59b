import time

from dnnbench.host.clock import now, read_cost_s, resolution_s


def test_the_clock_goes_forward_in_seconds():
    begin = now()
    time.sleep(0.02)
    assert now() - begin >= 0.02


def test_grain_and_cost_are_those_of_a_clock():
    assert 0 < resolution_s() < 1e-3
    assert 1e-9 < read_cost_s() < 1e-4
