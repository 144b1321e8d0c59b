import math

import pytest
from dnnbench.errors import UsageError
from dnnbench.execution.batching import MAX_CALLS, calls_per_visit

READ_S = 5e-8


@pytest.mark.parametrize(
    ("call_s", "read_cost_s", "calls"),
    [
        (1.0, READ_S, 1),
        (1e-3, READ_S, 1),
        (0.9e-3, READ_S, 2),
        (2e-5, READ_S, 50),
        (1e-3, 1e-6, 10),
        (1e-3, 9e-8, 1),
        (1e-9, READ_S, MAX_CALLS),
        (0.0, READ_S, MAX_CALLS),
        (5e-324, READ_S, MAX_CALLS),
    ],
)
def test_calls(call_s, read_cost_s, calls):
    assert calls_per_visit(call_s, read_cost_s) == calls


@pytest.mark.parametrize("call_s", [-1e-9, math.nan, math.inf])
def test_a_time_that_is_none(call_s):
    with pytest.raises(UsageError, match="seconds a call"):
        calls_per_visit(call_s, READ_S)


def test_a_visit_is_long_enough_and_no_longer():
    for call_s in (1e-7, 3.3e-6, 4.7e-5, 9.9e-4):
        calls = calls_per_visit(call_s, READ_S)
        assert calls * call_s >= 1e-3 > (calls - 1) * call_s
