"""The study's replay of gates generation by generation, on trials whose truth is known."""

import numpy as np
import pytest
from helpers.simulating import synthetic
from study import fresh_numbers
from study.fresh_numbers import RULES, Row, said, screen


def row_of(process, **changes):
    trials = [synthetic(seed=s, process=process, call_s=0.01, **changes) for s in range(6)]
    return Row(trials)


def test_a_part_goes_on_in_the_next_trial_and_after_the_last_in_the_first():
    row = row_of(0.002)
    part = row.part(34, [0.5, 0.25, 0.5])
    counts = np.bincount(part.generation)
    last, first = row.trials[5], row.trials[0]
    assert part.generations == [0, 1, 2]
    assert part.seconds[0].tolist() == last.seconds[last.generation == 4][0].tolist()
    assert part.seconds[-counts[2]].tolist() == first.seconds[0].tolist()
    assert counts[1] == pytest.approx(counts[0] / 2, rel=0.1)


@pytest.mark.parametrize(("process", "least", "most"), [(0.001, 7, 7), (0.03, 12, 33)])
def test_a_screen_ends_once_it_is_precise(process, least, most):
    one = screen(row_of(process), 0, 10)
    assert least <= one.stopped <= most
    assert one.stopped <= one.planned


def test_every_rule_judges_the_same_comparisons_in_fresh_generations():
    row = row_of(0.001, scale={"twin": 0.0})
    every = list(said(row, 10))
    by_rule = {name: [one for one in every if one.rule == name] for name in RULES}
    assert {len(of_rule) for of_rule in by_rule.values()} == {6 * 5}
    took, twice = (
        by_rule[name][0].count for name in ("as many as the screen took", "twice as many")
    )
    assert (took, twice) == (7, 14)
    for of_rule in by_rule.values():
        assert all(one.confirmed for one in of_rule if one.extra == 0.1)
        assert not any(one.confirmed for one in of_rule if one.extra == 0.0)


def test_what_a_confirmation_shares_with_its_screen_is_said(monkeypatch):
    rules = {"all": lambda one: 1000}
    monkeypatch.setattr(fresh_numbers, "RULES", rules)
    every = list(said(row_of(0.001), 10))
    assert {one.count for one in every} == {36}
    assert all(one.again for one in every)
