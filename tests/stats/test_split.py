"""How a run shares its time between generations: as asked, or as the pilots' noise has it."""

from types import SimpleNamespace

import numpy as np
import pytest
from dnnbench.execution.reporter import Silent
from dnnbench.execution.settings import Settings
from dnnbench.execution.split import PILOT_S, PILOTS, SoFar, split_of
from dnnbench.stats.estimates import Pairs
from dnnbench.stats.split import FEWEST, LEAST_ROUNDS, MOST, Components, pooled, tells_variances

ROUNDS = 400


class Notes(Silent):
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)


def pairs_of(between_sd, round_sd, rounds=ROUNDS, generations=PILOTS):
    """Log pairs of equal arms.

    The generations' own parts are spread evenly, to have that sd exactly.
    """
    draw = np.random.default_rng(0)
    own = between_sd * (np.arange(generations) - (generations - 1) / 2)
    differences = (own[:, None] + draw.normal(0, round_sd, (generations, rounds))).ravel()
    generation, number = np.divmod(np.arange(generations * rounds), rounds)
    return Pairs(generation, number, differences, number % 2 == 0, np.ones(len(number), bool))


def lengths(max_time_s, pairs, start_s=10.0, report=None):
    """Every generation that `auto` takes, in seconds of visits."""
    measured = SimpleNamespace(
        ranked=lambda: ["a cell"], against_base=lambda _: pairs, spoilt_generations=[]
    )
    split = split_of(Settings(generations=None, max_time_s=max_time_s), report or Silent())
    taken = []
    while (
        seconds := split.next_s(len(taken), lambda: SoFar(measured, [start_s] * PILOTS))
    ) is not None:
        taken.append(seconds)
    return taken


@pytest.mark.parametrize("max_time_s", [6.0, 60.0, 600.0])
@pytest.mark.parametrize("between_sd", [0.0, 0.003, 0.03])
def test_all_of_the_time_is_used_and_no_more(max_time_s, between_sd):
    taken = lengths(max_time_s, pairs_of(between_sd, 0.05))
    assert sum(taken) == pytest.approx(max_time_s)
    assert FEWEST <= len(taken) <= MOST
    assert max(taken[:PILOTS]) <= PILOT_S


def test_processes_that_differ_ask_for_many_short_generations_and_noise_within_for_few_long_ones():
    counts = [len(lengths(600.0, pairs_of(between_sd, 0.05))) for between_sd in (0.03, 0.003, 0.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == MOST
    assert counts[-1] < MOST / 3


def test_a_costly_start_asks_for_fewer_generations():
    noisy = pairs_of(0.004, 0.05)
    assert len(lengths(600.0, noisy, start_s=100.0)) < len(lengths(600.0, noisy, start_s=1.0))


def test_starts_take_twice_the_visits_at_most_unless_six_take_more():
    differing = pairs_of(0.03, 0.05)
    assert [len(lengths(60.0, differing, start_s=s)) for s in (0.0, 6.0, 30.0)] == [33, 13, 6]


def test_the_length_is_kalibera_and_jones_s():
    """t = sqrt(c w2 / s2), of the numbers that the note tells."""
    notes = Notes()
    taken = lengths(600.0, pairs_of(0.015, 0.2), start_s=20.0, report=notes)
    (note,) = notes.lines
    between, within = (float(word.rstrip("%")) / 100 for word in note.split() if word.endswith("%"))
    best_s = (20.0 * within**2 / between**2) ** 0.5
    assert taken[-1] == pytest.approx(best_s, rel=0.1)
    assert (
        f"a start takes 20.0 s: {len(taken) - PILOTS} more generations of {taken[-1]:.1f} s" in note
    )


def test_a_run_that_is_gone_on_with_keeps_its_plan():
    """What it measured after the pilots, shorter and by now more, has no part in it."""
    notes = Notes(), Notes()
    first = lengths(600.0, pairs_of(0.004, 0.05), report=notes[0])
    pilots, more = pairs_of(0.004, 0.05), pairs_of(0.1, 0.5, generations=9)
    later = more.first(9)
    later.generation[:] += PILOTS
    whole = Pairs(
        *(
            np.concatenate(both)
            for both in zip(vars(pilots).values(), vars(later).values(), strict=True)
        )
    )
    assert lengths(600.0, whole, report=notes[1]) == first
    assert notes[0].lines == notes[1].lines


def test_too_few_rounds_take_six_equal_generations_and_say_so():
    notes = Notes()
    assert lengths(
        30.0, pairs_of(0.01, 0.05, rounds=LEAST_ROUNDS - 1), report=notes
    ) == pytest.approx([5.0] * 6)
    assert notes.lines[0].startswith("too few rounds to tell")
    assert not tells_variances(pairs_of(0.01, 0.05, generations=1))


@pytest.mark.parametrize(
    ("generations", "spoilt", "taken"),
    [
        (3, {1}, 3),  # short runs say UNDECIDED
        (6, {}, 6),
        (6, {2}, 7),
        (6, {0, 2, 5}, 8),  # two are replaced at most
        (6, {5, 6}, 8),  # the one that took its place, too
    ],
)
def test_a_long_run_replaces_what_contention_spoilt(generations, spoilt, taken):
    measured = SimpleNamespace(spoilt_generations=spoilt)
    split = split_of(Settings(generations=generations, max_time_s=60.0), Silent())
    lengths = []
    while (seconds := split.next_s(len(lengths), lambda: SoFar(measured, []))) is not None:
        lengths.append(seconds)
    assert lengths == [60.0 / generations] * taken


def test_cells_that_were_visited_together_share_their_mean_variances():
    both = pooled([Components(2.0, 0.2, 1.0, 3, 9.0, 0.1), Components(4.0, 0.4, 3.0, 3, 9.0, 0.3)])
    assert (both.within_s, both.start_s, both.round_s) == (3.0, 9.0, 0.3)
    assert both.between == pytest.approx(0.3)
