"""Losses of training steps, held against the reference's one by one."""

import numpy as np
import pytest
from dnnbench.agreement.losses import LossReference, compare_losses

PLAIN = [2.3, 2.2, 2.1]
NAN, INF = float("nan"), float("inf")


def compared(losses, honest=(2.3, 2.2 + 1e-14, 2.1), plain=PLAIN):
    return compare_losses(LossReference.of(plain, honest), losses)


def test_equal_losses_agree():
    one = compared(PLAIN)
    assert (one.status, one.ratio, one.decided) == ("agrees", 0.0, 3)


def test_an_honest_error_is_allowed_64_times_and_from_then_on():
    assert compared([2.3, 2.2, 2.1 + 60e-14]).status == "agrees"
    assert compared([2.3, 2.2, 2.1 + 70e-14]).status == "differs"
    assert compared([2.3 + 60e-14, 2.2, 2.1]).status == "differs"


@pytest.mark.parametrize("value", [2.11, NAN, INF, -INF])
def test_the_step_that_differs_most_is_named(value):
    one = compared([2.3, 2.2, value])
    assert (one.status, one.ratio > 1) == ("differs", True)
    assert one.reason.startswith("step 3 returned")
    assert "expected 2.1" in one.reason


@pytest.mark.parametrize("losses", [PLAIN[:2], [*PLAIN, 2.0], []])
def test_another_number_of_steps_differs(losses):
    one = compared(losses)
    assert (one.status, one.reason) == ("differs", f"{len(losses)} steps, expected 3")


def test_a_step_that_rounding_decides_is_left_out():
    one = compared([2.3, 2.2, 2.5], honest=(2.3, 2.2, 2.11))
    assert (one.status, one.decided) == ("agrees", 2)


def test_where_rounding_decides_every_step_nothing_is_said():
    assert compared([2.3, 2.2, 2.5], honest=(2.4, 2.3, 2.2)).status == "undetermined"


def test_a_reference_that_is_not_finite_decides_nothing():
    one = compared(PLAIN, plain=[2.3, NAN, NAN])
    assert (one.status, one.reason) == (
        "not compared", "the reference's loss is not finite at step 2 either"
    )  # fmt: skip


def test_an_honest_evaluation_that_is_not_finite_decides_nothing():
    one = compared(PLAIN, honest=(2.3, NAN, 2.1))
    assert (one.status, one.decided) == ("agrees", 1)
    assert np.isfinite(one.ratio)
