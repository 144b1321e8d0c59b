"""Where a candidate lies between two ends, and what one commit makes of their difference."""

import numpy as np
import pytest
from dnnbench.stats.sequential import LOOKS, Side, next_look, place_between, share_of_gap
from scipy import stats

ALPHA = 0.01
GAP = 0.1


def ratios(position, generations, noise=0.005, seed=0):
    """(to the good end, to the bad end) of a candidate there, one of each a generation."""
    draw = np.random.default_rng(seed)
    own, good, bad = draw.normal(0, noise, (3, generations))
    return own + position * GAP - good, own + (position - 1) * GAP - bad


@pytest.mark.parametrize(
    ("position", "side"), [(0.0, Side.GOOD), (1.0, Side.BAD), (0.5, Side.BETWEEN)]
)
def test_a_candidate_is_put_where_it_lies(position, side):
    placed = place_between(*ratios(position, 16), ALPHA)
    assert placed.side is side
    assert placed.position == pytest.approx(position, abs=0.1)
    assert placed.generations == 16


@pytest.mark.parametrize("generations", [0, 1, 4])
def test_noise_as_large_as_the_gap_decides_nothing_in_few_generations(generations):
    placed = place_between(*ratios(1.0, generations, noise=GAP), ALPHA)
    assert placed.side is Side.UNDECIDED


def test_ends_that_do_not_differ_decide_nothing():
    rng = np.random.default_rng(0)
    to_good = rng.normal(0.2, 0.001, 16)
    placed = place_between(to_good, to_good + rng.normal(0, 0.01, 16), ALPHA)
    assert placed.side is Side.UNDECIDED, "the candidate is far from both ends, which are alike"


def test_figures_without_any_spread_decide():
    assert place_between([0.0] * 4, [-0.7] * 4, ALPHA).side is Side.GOOD
    assert place_between([0.7] * 4, [0.0] * 4, ALPHA).side is Side.BAD
    assert place_between([0.35] * 4, [-0.35] * 4, ALPHA).side is Side.BETWEEN


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_a_place_does_not_depend_on_the_size_of_the_gap(factor):
    good, bad = ratios(1.0, 8)
    placed, stretched = (place_between(f * good, f * bad, ALPHA) for f in (1, factor))
    assert stretched.side is placed.side
    assert stretched.position == pytest.approx(placed.position)


@pytest.mark.parametrize(("share_of_alpha", "decides"), [(0.9, True), (1.1, False)])
def test_a_look_spends_its_part_of_alpha(share_of_alpha, decides):
    to_good, to_bad = ratios(1.0, 8, 0.03)
    middle = stats.ttest_1samp((to_good + to_bad) / 2, 0, alternative="greater").pvalue
    placed = place_between(to_good, to_bad, middle * len(LOOKS) / share_of_alpha)
    assert (placed.side is Side.BAD) is decides


def test_a_wrong_side_is_rarer_than_alpha():
    """At the worst place for it, the middle, either side is taken at most alpha of the time."""
    sides = [place_between(*ratios(0.5, 8, 0.05, seed), 0.2).side for seed in range(400)]
    assert sides.count(Side.GOOD) / 400 <= 0.2
    assert sides.count(Side.BAD) / 400 <= 0.2


def test_looks_follow_each_other():
    assert [next_look(taken) for taken in (0, *LOOKS)] == [*LOOKS, None]


@pytest.mark.parametrize(("share", "is_less"), [(1.0, False), (0.9, False), (0.5, True)])
def test_a_commit_accounts_for_a_share_of_the_gap(share, is_less):
    rng = np.random.default_rng(1)
    step, gap = rng.normal(share * GAP, 0.002, 6), rng.normal(GAP, 0.002, 6)
    measured, less = share_of_gap(step, gap, ALPHA)
    assert measured == pytest.approx(share, abs=0.05)
    assert less is is_less
