"""A built Program at the bench: first calls, warm-up, visits, memory. Runs inside a worker."""

import gc
from collections.abc import Callable
from functools import partial
from math import ceil
from statistics import median

from ..protocol.batch import Batch
from ..protocol.program import PHASES, Program
from .audit import Audit, audit
from .clock import now
from .energy import LEAST_S, Meter
from .memory import read_memory, reset_peak

MUTATING = ("train_step", "update_alone")
"""Phases that change the program, which is therefore restored before every visit."""
WARM_CALLS = 10
WARM_LIMIT_S = 0.2
STEADY = 0.05


class Bench:
    """One program, one batch, every phase as a function without arguments."""

    def __init__(self, program: Program, batch: Batch):
        self._program = program
        self._batch = batch
        placed = program.put(batch)
        self._calls: dict[str, Callable] = {phase: partial(getattr(program, phase), placed) for phase in PHASES}
        self._placed = placed
        self._snapshot = program.snapshot()
        self._compiled_warm: int | None = None

    def first_call(self, phase: str) -> float:
        """Seconds of the phase's first call: tracing, compiling, running once."""
        if phase not in self._calls:
            self._calls |= self._program.pieces(self._placed)
        start = now()
        self._program.wait(self._calls[phase]())
        elapsed = now() - start
        self._program.restore(self._snapshot)
        return elapsed

    def pieces(self) -> list[str]:
        """Phases that this program can run alone."""
        return list(self._program.pieces(self._placed))

    def warm_up(self, phase: str) -> tuple[float, bool]:
        """(seconds of a warm call, whether it settled): call until the two halves of the recent calls agree."""
        times: list[float] = []
        spent = 0.0
        while spent < WARM_LIMIT_S and not _settled(times):
            times.append(self.visit(phase, 1))
            spent += 2 * times[-1]
        self._compiled_warm = self._program.facts()["compilations"]
        return median(times[-WARM_CALLS:]), _settled(times)

    def visit(self, phase: str, calls: int, timing: str = "latency") -> float:
        """Seconds of `calls` calls, after a restore and one untimed call.

        latency: each call is waited for before the next   throughput: all are called, then all are waited for.
        """
        call, wait = self._calls[phase], self._program.wait
        if phase in MUTATING:
            self._program.restore(self._snapshot)
        wait(call())
        gc.disable()
        elapsed = _TIMERS[timing](call, wait, calls)
        gc.enable()
        return elapsed

    def peaks(self, phase: str) -> dict[str, int | None]:
        """Most memory held during one call of the phase: resident bytes of the process, and bytes on the device."""
        reset_peak()
        self.visit(phase, 1)
        return {"peak_rss_bytes": read_memory().peak_rss_bytes, "peak_device_bytes": self._program.peak_memory()}

    def parts(self) -> dict[str, int]:
        """Bytes of the weights and of the optimizer's slots, as the program itself holds them."""
        held = {"weights_bytes": self._program.weights(), "optimizer_bytes": self._program.optimizer_state()}
        return {name: sum(array.nbytes for array in arrays.values()) for name, arrays in held.items()}

    def audit(self, calls: int) -> Audit:
        """Whether inference's time adds up, its wait waits, and its answers are its own."""
        return audit(self._program, self._batch, self._calls["infer"], calls)

    def energy(self, phase: str, counter: Meter) -> float:
        """Joules a call, over a visit long enough for the counter."""
        calls = max(ceil(LEAST_S / self.visit(phase, 1)), 1)
        before = counter.read()
        self.visit(phase, calls)
        return counter.joules_since(before) / (calls + 1)

    def device_call_s(self, phase: str, calls: int) -> float | None:
        """Seconds a call by the device's own clock, of calls that none is waited for; None where it has none."""
        call, wait = self._calls[phase], self._program.wait
        if phase in MUTATING:
            self._program.restore(self._snapshot)
        wait(call())
        elapsed = self._program.device_seconds(lambda: _all(call, calls))
        return None if elapsed is None else elapsed / calls

    def facts(self) -> dict:
        """What the program says of itself; `compiled_late`: programs that it compiled since the last warm-up, inside visits."""
        told = self._program.facts()
        late = 0 if self._compiled_warm is None else told["compilations"] - self._compiled_warm
        return told | {"compiled_late": late}

    def close(self) -> None:
        """Give everything back."""
        self._calls = {}
        self._snapshot = self._placed = None
        self._program.close()


def _all(call: Callable, calls: int) -> None:
    for _ in range(calls):
        call()


def _latency_s(call: Callable, wait: Callable, calls: int) -> float:
    start = now()
    for _ in range(calls):
        wait(call())
    return now() - start


def _throughput_s(call: Callable, wait: Callable, calls: int) -> float:
    start = now()
    results = [call() for _ in range(calls)]
    for result in results:
        wait(result)
    return now() - start


_TIMERS = {"latency": _latency_s, "throughput": _throughput_s}


def _settled(times: list[float]) -> bool:
    """Whether the two halves of the last calls agree."""
    if len(times) < WARM_CALLS:
        return False
    recent, half = times[-WARM_CALLS:], WARM_CALLS // 2
    first, second = median(recent[:half]), median(recent[half:])
    return abs(first - second) <= STEADY * min(first, second)
