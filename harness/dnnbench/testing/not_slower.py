"""assert_not_slower: a test that fails for a slowdown that is certain, and for nothing else.

One pytest process is one generation, and differs from the next by 0.5 to 4 %. So the test is run
again, by its node id, in fresh processes, and judged as a gate's second stage judges a cell: a
one-sided t test of the log ratios of the generations, mean(D_g) > log(1 + by), at 1 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pytest

from ..errors import DnnbenchError, UsageError
from ..execution.gate_policy import default_policy
from ..execution.spelling import share
from ..host.lock import machine_lock
from ..spec.phases import Phase
from ..stats.estimates import Pairs, contended_rounds, log_pairs
from ..stats.gate import Confirmation, FlaggedCell, confirm
from ..stats.split import FEWEST
from ..stats.verdict import Verdict
from .fresh_processes import Request, generations, refusal_here, tracer
from .in_process import Call, SideVisit, Wait, bench_of_call, visits_in_turn, visits_of

ALPHA = 0.01
"""Chance of a false alarm, at most: of functions that differ by `by` exactly. Of equals it is far
smaller.
"""
LOCK_S = 600.0
"""How long another dnnbench on this machine is waited for."""
F, G = "f", "than"
SECONDS = 1.0
PROPERTY = "assert_not_slower"
"""Of a test, in JUnit's XML: what its assertion came to, in a sentence."""


class Outcome(StrEnum):
    """What an assertion comes to."""

    NOT_SLOWER = "not slower"
    SLOWER = "slower"
    UNDECIDED = "undecided"
    """Something overrules the interval, or too large a slowdown would not have been seen."""


@dataclass(frozen=True)
class Judgement:
    """The outcome, in a sentence."""

    outcome: Outcome
    sentence: str


def judged(measured: Sequence[Sequence[SideVisit]], by: float) -> Judgement:
    """What the visits of F and G in several processes say of f taking more than 1 + by of g."""
    f, g = (visits_of(measured, side) for side in (F, G))
    return judged_pairs(log_pairs(f, g, contended_rounds([f, g])), by)


def judged_pairs(pairs: Pairs, by: float) -> Judgement:
    """The same from the log ratios of the rounds."""
    (confirmation,) = confirm([FlaggedCell(pairs)], by, ALPHA)
    estimate = confirmation.estimate
    times = (
        f"f takes {estimate.value:.3f} times as long as g ({estimate.low:.3f} to "
        f"{estimate.high:.3f}, 95 %, {estimate.generations} processes)"
    )
    if confirmation.finding.verdict == Verdict.CONFIRMED:
        sentence = (
            f"{times}: slower by more than {by:.3g} for certain (p = {confirmation.step.p:.1g})"
        )
        return Judgement(Outcome.SLOWER, sentence)
    if reason := _doubt(confirmation, by):
        return Judgement(
            Outcome.UNDECIDED, f"{times}: {reason}" if estimate.generations > 1 else reason
        )
    return Judgement(Outcome.NOT_SLOWER, times)


def _doubt(confirmation: Confirmation, by: float) -> str:
    """Why a slowdown that is not confirmed is not excluded either; empty where it is."""
    must_see = default_policy(by).must_see
    if not confirmation.answered or confirmation.finding.overruled:
        return confirmation.finding.reason
    if confirmation.estimate.high < 1 + by or confirmation.smallest_difference <= must_see:
        return ""
    return (
        f"could have seen a slowdown from {confirmation.smallest_difference:.1%} on, and must see "
        f"{must_see:.1%}; ask for more seconds or generations, or for a quieter machine"
    )


class NotSlower:
    """The fixture: `assert_not_slower(f, than=g, by="5%")`."""

    def __init__(self, item: pytest.Item) -> None:
        self._item, self._calls = item, 0

    def __call__(
        self,
        f: Call,
        *,
        than: Call,
        by: str | float = "5%",
        wait: Wait | None = None,
        seconds: float = SECONDS,
        generations: int = FEWEST,
    ) -> None:
        """Fail if f takes longer than 1 + by times as long as `than`, for certain.

        f, than: functions without arguments.  wait: called with what either gives; returns when
        that is computed, as jax.block_until_ready does.  seconds: of visits in each process.
        generations: fresh processes, six or more.  Skips the test, with the reason, where nothing
        can be said; fails it, with the reason, where nothing can be measured.
        """
        __tracebackhide__ = True
        place, self._calls = self._calls, self._calls + 1
        try:
            theta = _share(by)
            _refuse(f, than, seconds, generations)
            request = Request.of_environment()
            if request is None:
                judgement = self._judge(place, theta, generations)
                self._item.user_properties.append(
                    (PROPERTY, f"{judgement.outcome}: {judgement.sentence}")
                )
            else:
                if request.call == place:
                    _answer(request, f, than, wait, seconds)
                return
        except DnnbenchError as error:
            pytest.fail(f"assert_not_slower: {error}", pytrace=False)
        if judgement.outcome is Outcome.SLOWER:
            pytest.fail(judgement.sentence, pytrace=False)
        if judgement.outcome is Outcome.UNDECIDED:
            pytest.skip(judgement.sentence)

    def _judge(self, place: int, by: float, count: int) -> Judgement:
        if reason := refusal_here(self._item.config):
            raise UsageError(reason)
        with machine_lock(wait_s=LOCK_S):
            return judged(list(generations(self._item, place, count)), by)


def _answer(request: Request, f: Call, than: Call, wait: Wait | None, seconds: float) -> None:
    """Measure both sides here, and end the test."""
    if reason := tracer():
        request.refuse(f"{reason}: times would be its own; run this test without")
    else:
        sides = {F: bench_of_call(f, wait), G: bench_of_call(than, wait)}
        request.answer(visits_in_turn(sides, Phase.INFER, seconds, request.generation))
    pytest.skip("measured for assert_not_slower")


def _share(by: str | float) -> float:
    try:
        return share(str(by))
    except ValueError as error:
        raise UsageError(f"by: {error}") from None


def _refuse(f: object, than: object, seconds: float, count: int) -> None:
    for name, function in (("f", f), ("than", than)):
        if not callable(function):
            raise UsageError(f"{name}: got {function!r}, expected a function without arguments")
    if not seconds > 0:
        raise UsageError(f"seconds: got {seconds}, expected more than 0")
    if count < FEWEST:
        raise UsageError(
            f"generations: got {count}, expected {FEWEST} or more: a process has a speed of its "
            "own, and fewer tell too little of how far processes differ"
        )
