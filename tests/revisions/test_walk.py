"""The walk of a bisection: which place is asked next, what it spends, and how it ends."""

import json
import math

import pytest
from dnnbench.revisions.walk import SKIPPED, End, Visited, Walk
from dnnbench.stats.gate import FAMILY_ALPHA


def walked(length, side_of):
    """The walk where each place is like an end as `side_of` says."""
    walk = Walk(length)
    while (place := walk.next) is not None:
        walk = walk.after(Visited(place, side_of(place), walk.next_alpha))
    return walk


def step_at(first_bad, skipped=()):
    def side_of(place):
        if place in skipped:
            return SKIPPED
        return "bad" if place >= first_bad else "good"

    return side_of


@pytest.mark.parametrize("length", [2, 3, 4, 9, 33, 34])
def test_every_step_is_found_in_as_few_tests_as_it_takes(length):
    for first_bad in range(1, length):
        walk = walked(length, step_at(first_bad))
        assert (walk.end, walk.low, walk.high) == (End.STEP, first_bad - 1, first_bad)
        assert len(walk.visited) <= math.ceil(math.log2(length - 1))


def test_a_test_of_n_revisions_may_spend_alpha_over_the_number_of_steps():
    walk = walked(33, step_at(17))
    assert [each.alpha for each in walk.visited] == pytest.approx([FAMILY_ALPHA / 5] * 5)


@pytest.mark.parametrize("skipped", [(16,), (15, 16, 17), tuple(range(2, 32, 2)), (8, 24, 28)])
def test_skips_do_not_make_the_tests_spend_more_than_alpha(skipped):
    for first_bad in range(1, 33):
        walk = walked(33, step_at(first_bad, skipped))
        assert sum(each.alpha for each in walk.visited if each.side != SKIPPED) <= FAMILY_ALPHA
        assert walk.low < first_bad <= walk.high
        assert all(place in skipped for place in range(walk.low + 1, walk.high))


def test_what_lies_among_skipped_ones_is_one_of_several():
    walk = walked(9, step_at(5, skipped=(4, 5)))
    assert (walk.end, walk.low, walk.high) == (End.RANGE, 3, 6)


def test_neighbours_of_the_middle_are_asked_where_that_is_skipped():
    walk = Walk(9).after(Visited(4, SKIPPED))
    assert walk.next in (3, 5)


@pytest.mark.parametrize(
    ("side", "end"), [("between", End.MORE_THAN_ONE), ("undecided", End.UNDECIDED)]
)
def test_a_candidate_that_is_like_neither_end_ends_the_walk(side, end):
    walk = Walk(9).after(Visited(4, side, 0.001))
    assert walk.next is None
    assert walk.end is end


def test_neighbours_need_no_test():
    assert Walk(2).next is None
    assert Walk(2).end is End.STEP


def test_a_walk_goes_on_from_a_file_where_it_stopped():
    begun = Walk(17).after(Visited(8, "good", 0.0025, 0.1, 4, ("run-1", "run-2")))
    read = Walk.from_json(json.loads(json.dumps(begun.to_json())))
    assert read == begun
    assert read.next == 12
