"""The gate, called from Python: a copy that computes more is told by what it returns."""

import dnnbench
import pytest
from dnnbench.errors import UsageError


def test_one_arm_is_no_gate():
    with pytest.raises(UsageError, match="got one arm, numpy:eager; name two or more"):
        dnnbench.gate("mlp_digits", backend="numpy", threads=1)


def test_generations_below_the_gate_s_least_are_refused():
    with pytest.raises(UsageError, match="generations: got '1', expected a number from"):
        dnnbench.gate("mlp_digits", backend="numpy,torch", generations=1, threads=1)
