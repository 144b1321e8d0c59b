"""A built Program at the bench: first calls, warm-up, visits, memory. Runs inside a worker."""

import gc
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from math import ceil
from statistics import median
from typing import Any

import numpy as np

from ..host.clock import now
from ..host.energy import LEAST_S, Meter
from ..host.memory import give_back, read_memory, reset_peak
from ..host.placement import FREE, Placement, place, waited_share
from ..protocol.batch import Batch
from ..protocol.program import Program, is_trainable, trainable
from ..protocol.timing import Timing
from ..spec.phases import MUTATING, PHASES, PIECES, Phase
from .answers import answer_number
from .audit import Audit, audit
from .counting import counted
from .description import ProgramDescription
from .rate_audit import RateAudit, audit_rate
from .services.timing import CallFigures, HeldBytes, PeakMemory, Profiled, Visit, WarmCall
from .step_audit import audit_steps

Call = Callable[[], Any]
Wait = Callable[[Any], None]
WARM_CALLS = 10
WARM_LIMIT_S = 0.2
STEADY = 0.05
SETTLE_S = 0.005
"""Untimed calls before the clock starts: a process that slept needs some milliseconds to find
its speed again.
"""


def settle(call: Call, wait: Wait, seconds: float = SETTLE_S) -> None:
    """Untimed calls for so many seconds, one at least."""
    begin = now()
    wait(call())
    while now() - begin < seconds:
        wait(call())


def whole_visit_s(seconds: float, calls: int) -> float:
    """Seconds that a visit takes with its untimed calls, from the seconds of its timed ones."""
    return seconds + max(SETTLE_S, seconds / calls)


class Bench:
    """One program, one batch, every phase that is offered as a function without arguments.

    phases: those that will be called, pieces among them
    settle_s: seconds of untimed calls before each visit, one call at least.
    """

    def __init__(
        self,
        program: Program,
        batch: Batch,
        phases: Collection[Phase] = PHASES,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._program = program
        self._batch = batch
        self._settle_s = settle_s
        placed = program.put(batch)
        whole = [phase for phase in PHASES if phase in phases]
        self._calls: dict[str, Call] = {
            phase: partial(getattr(program, phase), placed) for phase in whole
        }
        self._placed = placed
        self._trained = None if set(phases) <= {Phase.INFER} else trainable(program)
        self._snapshot = self._trained.snapshot() if self._trained else None
        self._compiled_warm: int | None = None
        self._placements: dict[str, Placement] = {}
        self._answers: dict[str, float] = {}

    def first_call(self, phase: str) -> float:
        """Seconds of the phase's first call: tracing, compiling, running once."""
        if phase not in self._calls and self._trained:
            self._calls |= self._trained.pieces(self._placed)
        start = now()
        self._program.wait(self._calls[phase]())
        elapsed = now() - start
        self._restore()
        return elapsed

    def impossible(self, phases: Collection[Phase]) -> list[Phase]:
        """Pieces among the phases that this program cannot run alone."""
        pieces = [phase for phase in PIECES if phase in phases]
        possible = self._trained.pieces(self._placed) if pieces and self._trained else {}
        return [phase for phase in pieces if phase not in possible]

    def _restore(self) -> None:
        """Back to where the program began, if anything has trained it."""
        if self._trained:
            self._trained.restore(self._snapshot)

    def warm_up(self, phase: str) -> WarmCall:
        """Call until the two halves of the recent calls agree, or for a while.

        Places the threads first, as the phase's visits will find them, and reads what the phase
        answers last.
        """
        self._placements[phase] = place(partial(self._call_once, phase))
        times: list[float] = []
        spent = 0.0
        while spent < WARM_LIMIT_S and not _settled(times):
            times.append(self.visit(phase, 1).seconds)
            spent += 2 * times[-1]
        self._answers[phase] = self._answer(phase)
        self._compiled_warm = self._program.facts()["compilations"]
        return WarmCall(median(times[-WARM_CALLS:]), _settled(times))

    def visit(self, phase: str, calls: int, timing: Timing = Timing.LATENCY) -> Visit:
        """`calls` calls on the clock, after a restore and untimed calls, each thread where
        `warm_up` placed it.

        latency: each call is waited for before the next
        throughput: all are called, then all are waited for.
        """
        call, wait = self._calls[phase], self._program.wait
        placement = self._placements.get(phase, FREE)
        if phase in MUTATING:  # every visit of a phase begins at the same weights
            self._restore()
        with placement.held():
            settle(call, wait, self._settle_s)
            gc.disable()
            try:
                before = placement.waits_s()
                elapsed = _TIMERS[timing](call, wait, calls)
                after = placement.waits_s()
            finally:
                gc.enable()
        return Visit(elapsed, waited_share(before, after, elapsed))

    def single_calls(self, phase: str, calls: int) -> np.ndarray:
        """Seconds of each call, begun at the same weights and settled as a visit is.  (calls,)"""
        call, wait = self._calls[phase], self._program.wait
        if phase in MUTATING:
            self._restore()
        with self._placements.get(phase, FREE).held():
            settle(call, wait, self._settle_s)
            gc.disable()
            try:
                return _each_s(call, wait, calls)
            finally:
                gc.enable()

    def _answer(self, phase: str) -> float:
        """One number for what the phase answers, and for the weights that it leaves."""
        self._restore()
        result = self._calls[phase]()
        self._program.wait(result)
        arrays = {} if phase == Phase.UPDATE_ALONE else dict(self._program.get(result))
        if phase in MUTATING:
            arrays |= self._program.weights()
            self._restore()
        return answer_number(arrays)

    def _call_once(self, phase: str) -> None:
        self._program.wait(self._calls[phase]())

    def peak_memory(self, phase: str) -> PeakMemory:
        """Most memory held during one call of the phase: resident bytes of the process,
        and bytes on the device.

        What was freed before is given back first, or a small case would have the peak of a large
        one before it.
        """
        give_back()
        reset_peak()
        self.visit(phase, 1)
        return PeakMemory(read_memory().peak_rss_bytes, self._program.peak_memory())

    def held_bytes(self) -> HeldBytes:
        """Bytes of the weights and of the optimizer's slots, as the program itself holds them."""
        program = self._program  # it holds slots whether a phase that trains is timed or not
        slots = program.optimizer_state() if is_trainable(program) else {}
        return HeldBytes(_bytes(program.weights()), _bytes(slots))

    def audit(self, calls: int, phases: Collection[Phase] = PHASES) -> Audit:
        """Whether inference's time adds up, its wait waits, and answers are their own;
        where a step is timed, whether its wait waits for the weights, and no phase keeps an answer.

        phases: those that may be called, because none of their calls has failed.
        """
        placement = self._placements.get("infer", FREE)
        with placement.held():
            result = audit(self._program, self._batch, self._calls["infer"], calls, placement)
        allowed = {phase: call for phase, call in self._calls.items() if phase in phases}
        if self._trained is None or Phase.TRAIN_STEP not in allowed:
            return result
        self._restore()
        steps = audit_steps(self._trained, allowed[Phase.TRAIN_STEP], allowed)
        self._restore()
        return replace(result, steps=steps)

    def audit_rate(self, phase: str, calls: int, trains: bool) -> RateAudit:
        """Whether a phase whose rate lies near or above the measured peak does the work
        of every call.
        """
        placement, trained = self._placements.get(phase, FREE), trains and self._trained is not None
        with placement.held():
            return audit_rate(self._program, self._batch, phase, calls, trained, placement)

    def energy(self, phase: str, counter: Meter) -> float:
        """Joules a call, over a visit long enough for the counter."""
        calls = max(ceil(LEAST_S / self.visit(phase, 1).seconds), 1)
        with self._placements.get(phase, FREE).held():
            before = counter.read()
            _latency_s(self._calls[phase], self._program.wait, calls)
            return counter.joules_since(before) / calls

    def device_call_s(self, phase: str, calls: int) -> float | None:
        """Seconds a call by the device's own clock, of calls that none is waited for.

        None where it has none.
        """
        call, wait = self._calls[phase], self._program.wait
        if phase in MUTATING:  # every visit of a phase begins at the same weights
            self._restore()
        wait(call())
        elapsed = self._program.device_seconds(lambda: _all(call, calls))
        return None if elapsed is None else elapsed / calls

    def profile(self, phase: Phase, calls: int) -> Profiled:
        """What the framework's own tools see inside so many calls, begun at the same weights."""
        self._restore()
        try:
            made = self._program.profile(phase, self._placed, calls)
        finally:
            self._restore()
        content = b"" if made.trace is None else made.trace.content
        return Profiled(
            call_s=made.call_s,
            forward_s=made.forward_s,
            backward_s=made.backward_s,
            no_nodes=made.no_nodes,
            trace=np.frombuffer(content, np.uint8),
            suffix="" if made.trace is None else made.trace.suffix,
            opens="" if made.trace is None else made.trace.opens,
            no_trace=made.no_trace,
        )

    def figures(self, phase: Phase) -> CallFigures:
        """What the program announces of a call, and what this process counts of one."""
        self._restore()
        try:
            announced = self._program.figures(phase, self._placed) if phase in PHASES else ()
            self._restore()
            with self._placements.get(phase, FREE).held():
                own, missing = counted(partial(self._call_once, phase))
        finally:
            self._restore()
        return CallFigures((*announced, *own), missing)

    def describe(self, product_bits: float, cpus: str) -> ProgramDescription:
        """What the program says of itself, with what was measured of its process, and what the
        phases that were warmed up answer by now.
        """
        program_facts = self._program.facts()
        warm = self._compiled_warm
        late = 0 if warm is None else program_facts["compilations"] - warm
        placement = {phase: placed.outcome for phase, placed in self._placements.items()}
        answers = {phase: (first, self._answer(phase)) for phase, first in self._answers.items()}
        return ProgramDescription.of(program_facts, late, placement, product_bits, cpus, answers)

    def close(self) -> None:
        """Give everything back."""
        self._calls = {}
        self._snapshot = self._placed = None
        self._program.close()


def _bytes(arrays: Mapping[str, np.ndarray]) -> int:
    return sum(array.nbytes for array in arrays.values())


def _all(call: Call, calls: int) -> None:
    for _ in range(calls):
        call()


def _latency_s(call: Call, wait: Wait, calls: int) -> float:
    start = now()
    for _ in range(calls):
        wait(call())
    return now() - start


def _each_s(call: Call, wait: Wait, calls: int) -> np.ndarray:
    """A call ends where the next begins: the clock is read once between two calls."""
    times = np.empty(calls + 1)
    times[0] = now()
    for count in range(1, calls + 1):
        wait(call())
        times[count] = now()
    each: np.ndarray = np.diff(times)
    return each


def _throughput_s(call: Call, wait: Wait, calls: int) -> float:
    start = now()
    results = [call() for _ in range(calls)]
    for result in results:
        wait(result)
    return now() - start


_TIMERS = {Timing.LATENCY: _latency_s, Timing.THROUGHPUT: _throughput_s}


def _settled(times: list[float]) -> bool:
    """Whether the two halves of the last calls agree."""
    if len(times) < WARM_CALLS:
        return False
    recent, half = times[-WARM_CALLS:], WARM_CALLS // 2
    first, second = median(recent[:half]), median(recent[half:])
    return abs(first - second) <= STEADY * min(first, second)
