"""Whether a figure grew: by equality, or by a threshold from the base's own processes."""

from itertools import combinations
from math import comb

import pytest
from dnnbench.stats.figures import (
    FEWEST_PROCESSES,
    Change,
    change_by_equality,
    change_by_threshold,
    is_constant,
)

BASE = (100.0, 101.0, 102.0, 100.0, 101.0, 102.0)


@pytest.mark.parametrize(
    ("candidate", "change"), [(4.0, Change.EQUAL), (5.0, Change.MORE), (3.0, Change.FEWER)]
)
def test_a_deterministic_figure_is_compared_by_equality(candidate, change):
    assert change_by_equality(4.0, candidate) is change


@pytest.mark.parametrize(
    ("candidate", "change"),
    [
        ((105.0,) * 6, Change.MORE),
        ((104.0,) * 6, Change.EQUAL),
        ((97.0,) * 6, Change.FEWER),
        ((98.0,) * 6, Change.EQUAL),
        ((105.0, 104.0) * 3, Change.EQUAL),
        ((105.0,) * 5, Change.UNDECIDED),
    ],
)
def test_a_counted_figure_must_leave_the_base_by_more_than_its_own_spread(candidate, change):
    assert change_by_threshold(BASE, candidate) is change


def test_a_base_without_spread_still_takes_every_process_of_the_candidate():
    assert change_by_threshold((0.0,) * 6, (1.0,) * 6) is Change.MORE
    assert change_by_threshold((0.0,) * 6, (0.0, *(1.0,) * 5)) is Change.EQUAL


def test_equal_sides_are_told_apart_in_one_of_924_draws_at_most():
    """Of all ways to deal twelve different values to two sides, one at most may count as more."""
    values = [float(2**place) for place in range(2 * FEWEST_PROCESSES)]
    grown = 0
    for chosen in combinations(values, FEWEST_PROCESSES):
        others = [value for value in values if value not in chosen]
        grown += change_by_threshold(others, chosen) is Change.MORE
    assert grown <= 1
    assert comb(2 * FEWEST_PROCESSES, FEWEST_PROCESSES) == 924


@pytest.mark.parametrize(("values", "constant"), [((1, 1), True), ((1, 2), False), ((), False)])
def test_only_what_is_the_same_in_every_process_is_constant(values, constant):
    assert is_constant(values) is constant
