"""Measuring in the process that calls: callables and programs at dnnbench's bench, visited in turn.

A process has a speed of its own, so what comes from one is one generation: a time, and no interval.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..execution.batching import calls_per_visit
from ..execution.rounds import schedule
from ..host.affinity import current_mask
from ..host.clock import now, read_cost_s
from ..host.contention import Sampler, flags
from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.phases import Phase
from ..stats.estimates import CONTENDED, Visits
from ..wording import counted
from ..worker.bench import Bench

LEAST_ROUNDS = 2
"""Whatever the seconds: two sides are visited in either order."""
Call = Callable[[], Any]
Wait = Callable[[Any], Any]


class CallableProgram:
    """A function without arguments, as all of a Program that a visit of inference asks for."""

    def __init__(self, call: Call, wait: Wait | None = None) -> None:
        self._call, self._wait = call, wait

    def put(self, batch: object) -> None:
        return None

    def infer(self, batch: object) -> Any:
        return self._call()

    def wait(self, result: Any) -> None:
        if self._wait is not None:
            self._wait(result)

    def get(self, result: Any) -> dict[str, np.ndarray]:
        """Nothing that a check could compare."""
        return {}

    def facts(self) -> dict[str, int]:
        return {"compilations": 0}


def bench_of_call(call: Call, wait: Wait | None = None) -> Bench:
    """A function at the bench, as its phase `infer`.

    wait: called with what a call gives; returns when that is computed.
    """
    # Warm-up and visits need no more of a Program than this one has.
    return Bench(CallableProgram(call, wait), None, [Phase.INFER])  # type: ignore[arg-type]


def bench_of_program(program: Program, batch: Batch, phase: Phase) -> Bench:
    """A program and its batch at the bench, for one phase."""
    return Bench(program, batch, [phase])


@dataclass(frozen=True)
class SideVisit:
    """A visit of one side: its place in the rounds, its calls and what they took together."""

    side: str
    round: int
    position: int
    calls: int
    seconds: float
    flags: int


def visits_in_turn(
    benches: Mapping[str, Bench], phase: Phase, seconds: float, seed: int = 0
) -> list[SideVisit]:
    """First calls, warm-up, then rounds of one visit each, in balanced orders, for so many seconds.

    All sides have as many calls in a visit as the fastest needs.
    """
    for bench in benches.values():
        bench.first_call(phase)
    warm_s = [bench.warm_up(phase).seconds for bench in benches.values()]
    calls = calls_per_visit(min(warm_s), read_cost_s())
    sampler, begin = Sampler(current_mask()), now()
    visits: list[SideVisit] = []
    for number, phases in enumerate(schedule({phase: list(benches)}, seed)):
        (_, order), before = phases[0], sampler.read()
        taken = [benches[side].visit(phase, calls).seconds for side in order]
        contended = flags(before, sampler.read())
        visits += [
            SideVisit(side, number, position, calls, each_s, contended)
            for position, (side, each_s) in enumerate(zip(order, taken, strict=True))
        ]
        if number + 1 >= LEAST_ROUNDS and now() - begin >= seconds:
            break
    return visits


def one_visit(bench: Bench, phase: Phase) -> list[SideVisit]:
    """A single call, for a session that wants none measured."""
    return [SideVisit("", 0, 0, 1, bench.first_call(phase), 0)]


@dataclass(frozen=True)
class Measurement:
    """What one process showed.

    call_s: seconds a call of each visit, (visits,).  calls: in each visit.
    contended: share of the visits that met contention, which are kept: in one process there is
    nothing to hold them against.
    """

    name: str
    call_s: np.ndarray
    calls: int
    contended: float

    @property
    def median_s(self) -> float:
        """Seconds a call: the median of the visits."""
        return float(np.median(self.call_s))

    def __str__(self) -> str:
        visits = f"{counted(len(self.call_s), 'visit')} of {counted(self.calls, 'call')}"
        return (
            f"{self.name}: {self.median_s:.4g} s a call, the median of {visits} in this process; "
            "one process gives no interval"
        )


def measurement(name: str, visits: Sequence[SideVisit]) -> Measurement:
    """Of the visits of one side."""
    flagged = [bool(visit.flags & CONTENDED) for visit in visits]
    return Measurement(
        name,
        np.array([visit.seconds / visit.calls for visit in visits]),
        visits[0].calls,
        float(np.mean(flagged)),
    )


def visits_of(generations: Sequence[Collection[SideVisit]], side: str) -> Visits:
    """The visits of one side over several processes, as the statistics take them."""
    rows = [
        (number, visit.round, visit.position, visit.seconds / visit.calls, visit.flags)
        for number, visits in enumerate(generations)
        for visit in visits
        if visit.side == side
    ]
    generation, rounds, position, call_s, flagged = zip(*rows, strict=True)
    return Visits(
        np.array(generation, np.int64),
        np.array(rounds, np.int64),
        np.array(position, np.int64),
        np.array(call_s),
        np.array(flagged, np.int64),
    )
