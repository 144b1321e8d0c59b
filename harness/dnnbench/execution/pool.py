"""The worker processes of a run: one for each arm, one for the control; lost ones are replaced."""

import os
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..errors import WorkerError
from ..host.affinity import choose_cpus, confine, current_mask, parent_cpus, starting_places
from ..host.idle import NOISY_SHARE, idle_shares
from ..protocol.arm import Arm
from ..protocol.timing import Timing
from ..worker.__main__ import SERVICE
from ..worker.clients.arm import ArmClient
from ..worker.clients.process import ProcessClient
from ..worker.clients.timing import TimingClient
from ..worker.ended import WorkerLost
from ..worker.environment import padded, worker_environment
from ..worker.messages import Method, P, R
from ..worker.process import Worker, worker_argv
from ..worker.services.arm import StartRequest
from .backend_info import info_of
from .cache import cache_folder, cache_folders
from .environments import interpreter_of
from .lending import lent_packages
from .logs import new_log
from .parallel import in_parallel
from .plan import CONTROL, CONTROL_ARM, Plan

_chance = random.Random()


def visit_timeout_s(expected_s: float) -> float:
    """A visit may take a thousand times what it should, and a minute at least:
    bursts of steal slow a step 40 times.
    """
    return max(60.0, 1000 * expected_s)


def worker_cpus(threads: int) -> list[int]:
    """The CPUs that every worker which is timed is confined to."""
    return choose_cpus(current_mask(), threads)


def spawn(
    arm: Arm,
    name: str,
    memory: str = "native",
    service: str = SERVICE,
    cpus: Sequence[int] | None = None,
    cache: Path | None = None,
) -> Worker:
    """A worker process for an arm.

    What it prints stands in a log named after it, kept where an error names it.

    cpus: those that it is confined to, as it must be to be timed;
    None for any that this process may use.
    memory: setting of its allocator, which a run chooses for those that it times;
    others give back what they free.
    cache: folder of its compile caches; None for the user's.
    """
    besides = info_of(arm).caches if arm.environment else ()
    caches = cache_folders(cache or cache_folder(), besides)
    environment = worker_environment(os.environ, threads=arm.threads, memory=memory, caches=caches)
    interpreter = sys.executable
    if arm.environment:
        interpreter = str(interpreter_of(arm.environment))
        environment["PYTHONPATH"] = str(lent_packages())
    cpus = current_mask() if cpus is None else cpus
    environment = padded(environment, worker_argv(interpreter, cpus, service, (10, 11)), _chance)
    return Worker(
        arm.name, environment, new_log(name), cpus=cpus, interpreter=interpreter, service=service
    )


def start_request(arm: Arm) -> StartRequest:
    """What a worker's `start` needs: the arm, and the class that its backend's plugin names."""
    return StartRequest(arm, info_of(arm).target)


@contextmanager
def started(
    arm: Arm, name: str, memory: str = "native", cpus: Sequence[int] | None = None
) -> Iterator[Worker]:
    """A worker of an arm, its framework imported; arguments as of `spawn`."""
    with spawn(arm, name, memory, cpus=cpus) as worker:
        ArmClient(worker).start(start_request(arm))
        yield worker


def refuse_change(arm: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """WorkerError if an arm's libraries are not those that the run began with:
    one figure would mix two programs.
    """
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if changed:
        changes = [
            f"{name} {before.get(name, 'absent')} became {now.get(name, 'absent')}"
            for name in changed
        ]
        raise WorkerError(
            f"{arm}: {', '.join(changes)} while the run was under way; "
            "nothing of it is measured from here on: run anew"
        )


class PoolClosed(Exception):
    """The pool was closed while a thread still started or asked one of its workers:
    no failure of any arm.
    """


class WorkerPool:
    """All workers of one generation, and this process out of their way.

    A context manager that leaves none behind.

    Leaving it, which an interrupt does while threads still start and ask workers,
    raises PoolClosed in those threads.
    """

    def __init__(
        self,
        plan: Plan,
        name: str,
        cache: Path | None = None,
        versions: Mapping[Arm, Mapping[str, str]] | None = None,
    ) -> None:
        """versions: what each arm computed with earlier in this run.

        An arm that computes with others now is refused.
        """
        self._plan, self._name, self._cache = plan, name, cache
        self._before = dict(versions or {})
        self._workers: dict[str, Worker] = {}
        self._refusals: dict[str, WorkerError] = {}
        self._lost: set[str] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._pauses = 0
        self.import_s: dict[str, float] = {}
        self.versions: dict[Arm, Mapping[str, str]] = {}
        self._mask = current_mask()
        self.cpus = worker_cpus(max(arm.threads for arm in plan.arms))
        self.at_once = len(self.cpus)

    def start(self) -> None:
        """Start the control, then every arm, as many at once as there are CPUs.

        One that cannot start stays out.
        """
        self._enter(CONTROL, CONTROL_ARM, cpus=self.cpus[-1:])
        places = starting_places(self._mask, self.cpus)
        if len(places) == 1:
            places *= self.at_once
        free = SimpleQueue[list[int]]()
        for place in places:
            free.put(place)
        in_parallel(partial(self._try, free), self._plan.arms, len(places))

    def _try(self, free: "SimpleQueue[list[int]]", arm: Arm) -> None:
        place = free.get()
        try:
            self._begin(arm, place[-arm.threads :])
        except WorkerError as error:
            self._refusals[arm.name] = error
        finally:
            free.put(place)

    def restart(self, arm: Arm) -> None:
        """A fresh process for an arm, in place of any other."""
        if arm.name in self._workers:
            self._workers[arm.name].close()
        self._begin(arm, choose_cpus(self._mask, arm.threads))

    def _begin(self, arm: Arm, place: Sequence[int]) -> None:
        """Start an arm's worker on some CPUs, and move it to those on which it is timed."""
        cpus = choose_cpus(self._mask, arm.threads)
        self._enter(arm.name, arm, cpus=place, cache=self._cache)
        started = ArmClient(_Member(self, arm.name)).start(start_request(arm))
        if list(place) != cpus:
            ProcessClient(_Member(self, arm.name)).move(tuple(cpus))
        refuse_change(arm.name, self._before.get(arm, started.versions), started.versions)
        self.import_s[arm.name] = started.import_s
        self.versions[arm] = started.versions

    def timing(self, arm: Arm) -> TimingClient:
        """Asks an arm's worker; one that could not start says why."""
        if arm.name in self._refusals:
            raise self._refusals[arm.name]
        return TimingClient(_Member(self, arm.name))

    def _enter(self, name: str, arm: Arm, **options: Any) -> None:
        """Spawn a worker, unless the pool was closed: one started later would not be ended."""
        with self._lock:
            if self._closed:
                raise PoolClosed
            self._workers[name] = spawn(
                arm, f"{self._name}-{name}", self._plan.settings.memory, **options
            )

    def ask(
        self,
        name: str,
        method: Method[P, R],
        timeout_s: float,
        /,
        *arguments: P.args,
        **named: P.kwargs,
    ) -> R:
        """The answer of one worker.

        A worker that is lost is remembered, so that `respawn` replaces it.
        """
        try:
            return self._workers[name].ask(method, timeout_s, *arguments, **named)
        except WorkerError as error:
            if self._closed:
                raise PoolClosed from None
            if isinstance(error, WorkerLost):
                self._lost.add(name)
            raise

    def respawn(self, arm: Arm) -> None:
        """A fresh process for an arm whose last one was lost; nothing for any other."""
        if arm.name in self._lost:
            self.restart(arm)
            self._lost.discard(arm.name)

    def quiesce(self) -> dict[str, float]:
        """Share of a CPU that each waiting worker uses.

        One that uses more than 1 % is stopped whenever it waits.
        """
        shares = idle_shares(
            {name: worker.pid for name, worker in self._workers.items() if name not in self._lost}
        )
        for name, share in shares.items():
            if share > NOISY_SHARE:
                self._workers[name].stop_when_idle()
        return shares

    def control(self, calls: int) -> float | None:
        """Seconds of a visit of the control arm.

        None once its worker is lost, which costs no other arm anything.
        """
        return self._of_control(lambda client: client.control(calls))

    def noop(self, calls: int, timing: Timing) -> float | None:
        """Seconds of a visit of the no-op program, which lives in the control's worker.

        None once that is lost.
        """
        return self._of_control(lambda client: client.noop(calls, timing))

    def _of_control(self, visit: Callable[[TimingClient], float]) -> float | None:
        if CONTROL in self._lost:
            return None
        try:
            return visit(TimingClient(self._workers[CONTROL]))
        except WorkerLost:
            self._lost.add(CONTROL)
            return None

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.pid for worker in self._workers.values()]

    def switches(self) -> int | None:
        """Involuntary context switches of all living workers together; None where there is none."""
        counts = [self._switches_of(worker) for worker in self._workers.values()]
        living = [count for count in counts if count is not None]
        return sum(living) if living else None

    def pauses(self) -> int:
        """How often so far others stopped a worker, or this process did not run while it
        waited for one.
        """
        self._pauses += sum(worker.new_pauses() for worker in self._workers.values())
        return self._pauses

    @staticmethod
    def _switches_of(worker: Worker) -> int | None:
        try:
            return TimingClient(worker).switches()
        except WorkerLost:
            return None

    def __enter__(self) -> "WorkerPool":
        confine(parent_cpus(self._mask, self.cpus))
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._lock:
            self._closed = True
        for worker in self._workers.values():
            worker.ask_to_end()
        for worker in self._workers.values():
            worker.close()
        confine(self._mask)


@dataclass(frozen=True)
class _Member:
    """One worker of a pool, whichever process it is by now."""

    pool: WorkerPool
    name: str

    def ask(
        self, method: Method[P, R], timeout_s: float, /, *arguments: P.args, **named: P.kwargs
    ) -> R:
        return self.pool.ask(self.name, method, timeout_s, *arguments, **named)
