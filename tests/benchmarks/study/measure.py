"""Records one trial: its generations one after the other, in each the arms visited in turn
as the product visits them.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from dnnbench.execution.batching import calls_per_visit
from dnnbench.execution.plan import CONTROL
from dnnbench.execution.pool import visit_timeout_s, worker_cpus
from dnnbench.execution.rounds import schedule
from dnnbench.execution.visiting import CONTROL_CALLS
from dnnbench.host.affinity import current_mask
from dnnbench.host.clock import now, read_cost_s
from dnnbench.host.contention import Sampler, flags
from dnnbench.worker.clients.base import BUILD_TIMEOUT_S
from dnnbench.worker.clients.timing import TimingClient
from dnnbench.worker.process import Worker

from .kinds import OVERHEAD, Kind
from .machine import words
from .noise import NOISES, noisy
from .service import PHASE, Study
from .starts import DRAWN
from .step import STEPS
from .trial import Trial
from .workers import THREADS, pool, quiesce

Workers = Mapping[str, Worker]


@dataclass
class Tape:
    """Rounds as they come: one row each."""

    generation: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    control_s: list[float] = field(default_factory=list)
    seconds: list[list[float]] = field(default_factory=list)
    position: list[list[int]] = field(default_factory=list)


def record(kind: Kind, seed: int) -> Trial:
    """Measure a trial of this kind.
    Raises WorkerError if a worker fails: a trial is whole or it is not.
    """
    recorder = Recorder(kind, seed)
    for number in range(kind.generations):
        recorder.generation(number)
    return recorder.trial()


class Recorder:
    """One trial while it is measured."""

    def __init__(self, kind: Kind, seed: int):
        self._kind, self._seed = kind, seed
        self._mask, self._cpus = current_mask(), worker_cpus(THREADS)
        self._began = datetime.now(UTC).isoformat(timespec="seconds")
        self._tape, self._calls, self._unsettled = Tape(), 0, 0
        self._starts_s: list[float] = []
        self._rebuilds_s: list[float] = []

    def generation(self, number: int) -> None:
        """Fresh processes; warm up; rounds; no process is left."""
        kind, share = self._kind, 1 / self._kind.generations
        hog = NOISES[kind.noise](number * share, share) if kind.noise else None
        expected_s = STEPS[kind.step].start_s + OVERHEAD * kind.seconds * len(kind.arms) * share
        with noisy(hog, self._mask, expected_s, self._seed * 100 + number):
            begin = now()
            with pool(kind, self._cpus, self._seed * 1000 + number) as workers:
                self._starts_s.append(now() - begin)
                for build in range(kind.builds):
                    if build:
                        self._rebuild(workers)
                    call_s = self._warm_up(workers)
                    quiesce(workers)
                    self._rounds(
                        number * kind.builds + build, workers, visit_timeout_s(self._calls * call_s)
                    )

    def _rebuild(self, workers: Workers) -> None:
        """The same processes, their steps built anew, elsewhere in memory:
        the old one goes when the new one stands.
        """
        begin = now()
        for label, repeats in self._kind.arms.items():
            workers[label].ask(Study.build, BUILD_TIMEOUT_S, self._kind.step, repeats)
        self._rebuilds_s.append(now() - begin)

    def trial(self) -> Trial:
        """All that was recorded."""
        kind = self._kind
        versions = {"python": platform.python_version()} | {
            name: version(name) for name in STEPS[kind.step].libraries
        }
        facts = {
            "began": self._began,
            "seed": self._seed,
            "seconds_a_cell": kind.seconds,
            "step": kind.step,
            "starts": DRAWN,
            "starts_s": [round(s, 2) for s in self._starts_s],
            "builds": kind.builds,
            "rebuilds_s": [round(s, 2) for s in self._rebuilds_s],
            "unsettled": self._unsettled,
            "machine": words(len(self._mask)),
            "threads": THREADS,
            "versions": versions,
        }
        columns = {name: np.array(column) for name, column in vars(self._tape).items()}
        return Trial(kind.name, kind.arms, kind.pairs, self._calls, facts=facts, **columns)

    def _warm_up(self, workers: Workers) -> float:
        """Seconds of the fastest arm's call.

        The first generation's choose the calls a visit, the same for all arms.
        """
        warm = [
            workers[arm].ask(Study.warm_up, BUILD_TIMEOUT_S) for arm in workers if arm != CONTROL
        ]
        self._unsettled += sum(not arm.settled for arm in warm)
        call_s = min(arm.seconds for arm in warm)
        self._calls = self._calls or calls_per_visit(call_s, read_cost_s())
        return call_s

    def _rounds(self, number: int, workers: Workers, limit_s: float) -> None:
        """Rounds until a cell's visits, their untimed calls counted, fill this generation's
        seconds; at least one.
        """
        sampler, spent_s = Sampler(self._cpus, switches=lambda: _switches(workers)), 0.0
        for [(_, order)] in schedule({PHASE: list(self._kind.arms)}, self._seed * 1000 + number):
            row = self._round(number, order, workers, limit_s, sampler)
            spent_s += sum(row) / len(row) * (self._calls + 1) / self._calls
            if spent_s >= self._kind.seconds / self._kind.generations / self._kind.builds:
                return

    def _round(
        self, number: int, order: list[str], workers: Workers, limit_s: float, sampler: Sampler
    ) -> list[float]:
        before = sampler.read()
        visits = {arm: workers[arm].ask(Study.visit, limit_s, self._calls) for arm in order}
        control_s = TimingClient(workers[CONTROL]).control(CONTROL_CALLS)
        contended = flags(before, sampler.read())
        row = [visits[arm] for arm in self._kind.arms]
        self._tape.generation.append(number)
        self._tape.flags.append(contended)
        self._tape.control_s.append(control_s)
        self._tape.seconds.append(row)
        self._tape.position.append([order.index(arm) for arm in self._kind.arms])
        return row


def _switches(workers: Workers) -> int:
    """Involuntary context switches of all workers together."""
    arms = [
        worker.ask(Study.switches, BUILD_TIMEOUT_S)
        for label, worker in workers.items()
        if label != CONTROL
    ]
    return sum(arms) + TimingClient(workers[CONTROL]).switches()
