"""The study's replay of two confirmations, on trials whose truth is known."""

import numpy as np
import pytest
from helpers.simulating import synthetic
from study import repeated, tables, two_confirmations


def test_a_second_confirmation_is_of_the_trial_after_the_next():
    trials = [synthetic(seed=seed) for seed in (0, 2, 3)] + [synthetic("same", 1)] * 2
    threes = list(two_confirmations.in_threes(trials))
    assert [
        [trial.facts["began"][-5:-3] for trial in (one.screen, one.fresh, one.again)]
        for one in threes
    ] == [["00", "02", "03"], ["02", "03", "00"], ["03", "00", "02"]]


def stages(*extras, seconds=10):
    """Three trials whose arm of equal work takes so much longer in each."""
    trials = [
        synthetic(scale={"twin": extra}, seed=seed, process=0.001, seconds=seconds)
        for seed, extra in enumerate(extras)
    ]
    return next(two_confirmations.in_threes(trials))


NEAR = 0.021
"""Slower than what passes by so little that six generations leave it undecided."""


@pytest.mark.parametrize(
    ("extras", "once", "twice"),
    [
        ((0.06, 0.06, 0.0), True, True),
        ((0.06, NEAR, 0.06), False, True),
        ((0.06, 0.0, 0.06), False, False),
        ((0.06, NEAR, 0.0), False, False),
        ((0.0, 0.06, 0.06), False, False),
    ],
)
def test_what_stayed_undecided_is_confirmed_by_the_second_alone(extras, once, twice):
    found = stages(*extras)
    pair = ("twin", "base")
    assert (pair in two_confirmations.once(found)) is once
    assert (pair in two_confirmations.twice(found)) is twice
    assert (pair in two_confirmations.twice(found, share=0.25)) is twice


def test_one_confirmation_of_both_trials_has_the_generations_of_both():
    joined, _ = two_confirmations._joined(stages(0.0, 0.0, 0.06), ("twin", "base"))
    effects = joined.effects()
    assert len(effects) == 12
    assert np.mean(effects[6:]) - np.mean(effects[:6]) == pytest.approx(0.06, abs=0.005)


def test_all_ways_to_confirm_are_counted_from_the_same_comparisons():
    trials = [synthetic(seed=seed, scale={"twin": 0.06 * (seed == 0)}) for seed in range(3)]
    ways = two_confirmations.confirmed_twice(trials)
    assert {len(frame) for frame in ways.values()} == {3 * 5}
    table = tables.confirmations({10.0: ways})
    for name in two_confirmations.RULES:
        assert f"| 10 s | {name} | 0 of 3 (at most 63.2%) |" in table, "flagged once"
    assert table.count("3 of 3 (100%, at least 37%) |") == 2 * len(two_confirmations.RULES)


NORMAL = np.array([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0])
"""Of a generation's log ratio, without its mean and as many sds."""


@pytest.mark.parametrize(
    ("first", "again", "said"),
    [
        (0.06, 0.0, [True, True, False]),
        (0.025, 0.06, [False, True, True]),
        (0.0, 0.06, [False, False, False]),
        (0.025, 0.025, [False, False, True]),
    ],
)
def test_a_simulated_second_confirmation_is_of_what_the_first_left_undecided(first, again, said):
    effects = (first + 0.008 * NORMAL, again + 0.008 * NORMAL)
    assert [rule(*effects) for rule in repeated.RULES.values()] == said
