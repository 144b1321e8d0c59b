"""The learning-rate schedule, against figures worked out by hand."""

from math import cos, pi

import pytest
from dnnbench.spec.optimizers import AdamW, Sgd, WarmupCosine


@pytest.mark.parametrize(
    ("t", "factor"),
    [
        (1, 0.25),
        (2, 0.5),
        (4, 1.0),
        (5, 0.1 + 0.9 * (1 + cos(pi / 8)) / 2),
        (8, 0.55),
        (12, 0.1),
        (50, 0.1),
    ],
)
def test_a_rate_rises_in_a_line_and_falls_along_a_cosine(t, factor):
    schedule = WarmupCosine(warmup=4, steps=12, floor=0.1)
    assert schedule.factor(t) == pytest.approx(factor, rel=1e-15)
    assert AdamW(learning_rate=3e-4, schedule=schedule).rate(t) == pytest.approx(3e-4 * factor)


def test_without_a_schedule_the_rate_stays():
    assert [Sgd(learning_rate=0.5).rate(t) for t in (1, 10, 10_000)] == [0.5] * 3


def test_without_warm_up_the_first_step_is_on_the_cosine():
    assert WarmupCosine(steps=4).factor(1) == pytest.approx((1 + cos(pi / 4)) / 2)
