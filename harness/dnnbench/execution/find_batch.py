"""The largest batch that fits: tried in workers that the kernel would end first, and that are ended
here before it has to.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..data.dataset import Dataset
from ..data.free_memory import available_bytes
from ..errors import WorkerError
from ..host.lock import machine_lock
from ..protocol.arm import Arm
from ..spec.costs import training_step
from ..spec.phases import PURPOSES, Phase
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..worker.clients.process import ProcessClient
from ..worker.clients.timing import TimingClient
from ..worker.process import Worker
from ..worker.services.timing import BuildRequest
from .batch import timing_batch
from .pool import started
from .reporter import Reporter
from .request import Request, make_plan

MOST = 1_000_000
"""The largest batch that a workload may have."""
STEP = 1.05
"""The search ends where a batch that fits and one that does not are so close."""
LOOK_S = 0.01
SPARE_SHARE = 0.05
"""Of the memory that is free at first: a worker that leaves less is ended, before anything is
swapped or killed.
"""
TRY_S = 120.0
"""For building and one call."""


@dataclass(frozen=True)
class Tried:
    """One batch in one fresh worker; `reason` is empty where it fitted."""

    batch_size: int
    peak_rss_bytes: int | None
    reason: str = ""


@dataclass(frozen=True)
class Largest:
    """What the search for one arm, workload and phase came to.

    fits: None where not even one example does   beyond: the smallest that did not; None at `MOST`.
    """

    arm: str
    workload: str
    phase: Phase
    fits: Tried | None
    beyond: Tried | None
    foreseen_bytes: int | None
    """What the spec says that the largest batch needs in training, frameworks left out."""


def find_batches(request: Request, report: Reporter) -> list[Largest]:
    """Of every arm of a request, for training and inference as far as both are asked for."""
    plan, datasets = make_plan(request, report)
    largest = []
    with machine_lock():
        for case in plan.cases:
            for phase in [one for one in plan.phases(case) if one in PURPOSES]:
                for arm in plan.arms:
                    report.advance(0, f"{arm.name} {case.workload.name} {phase}: largest batch")
                    dataset = datasets[case.workload.name]
                    largest.append(
                        find_batch(arm, case.workload, dataset, phase, plan.settings.seed)
                    )
    return largest


def find_batch(arm: Arm, workload: Workload, dataset: Dataset, phase: Phase, seed: int) -> Largest:
    """Doubles the workload's batch until one does not fit, then halves the gap."""
    spare = round(available_bytes() * SPARE_SHARE)

    def attempt(size: int) -> Tried:
        return try_batch(arm, workload, dataset, phase, size, seed, spare)

    fits, beyond = bisect(attempt, workload.batch_size)
    itemsize = arm.precision.itemsize
    foreseen = training_step(workload, fits.batch_size, itemsize).memory_bytes if fits else None
    return Largest(arm.name, workload.name, phase, fits, beyond, foreseen)


def bisect(attempt: Callable[[int], Tried], begin: int) -> tuple[Tried | None, Tried | None]:
    """(the largest that fitted, the smallest that did not), from a first size on."""
    fits: Tried | None = None
    beyond: Tried | None = None
    size = begin
    while True:
        tried = attempt(size)
        if tried.reason:
            beyond = tried
        else:
            fits = tried
        low, high = fits.batch_size if fits else 0, beyond.batch_size if beyond else None
        if high is None:
            if low >= MOST:
                return fits, None
            size = min(2 * low, MOST)
        elif high - low <= 1 or (low and high / low <= STEP):
            return fits, beyond
        else:
            size = (low + high) // 2


def try_batch(
    arm: Arm,
    workload: Workload,
    dataset: Dataset,
    phase: Phase,
    size: int,
    seed: int,
    spare_bytes: int,
) -> Tried:
    """Build at that batch and call the phase once, in a worker of its own."""
    needed = training_step(workload, size, arm.precision.itemsize).memory_bytes
    free = available_bytes()
    if phase == Phase.TRAIN_STEP and needed > free:
        sizes = f"{needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} are free"
        return Tried(size, None, f"training it needs {sizes}")
    example_bytes = sum(a[:1].nbytes for a in dataset.x_train.values())
    if 3 * size * example_bytes > free:  # here, on the way, and in the worker
        return Tried(size, None, "the batch itself needs more than is free")
    batch = timing_batch(dataset, size, seed)
    weights = initial_weights(workload.model, seed)
    request = BuildRequest("batch", workload, weights, batch, seed, (phase,))
    with started(arm, f"batch-{size}") as worker:
        ProcessClient(worker).end_first()
        with _ended_below(worker, spare_bytes) as ended:
            try:
                timing = TimingClient(worker).within(TRY_S)
                timing.build(request)
                timing.first_call("batch", phase)
                peak = timing.peak_memory("batch", phase).peak_rss_bytes
            except WorkerError as error:
                return Tried(size, None, ended[0] if ended else str(error))
    return Tried(size, peak)


@contextmanager
def _ended_below(worker: Worker, spare_bytes: int) -> Iterator[list[str]]:
    """While it lasts the worker is ended where less than `spare_bytes` are free; the list then says
    so.
    """
    reasons: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            free = available_bytes()
            if free < spare_bytes:
                reasons.append(f"ended when {free / 1e9:,.1f} GB were left")
                worker.close(timeout_s=0)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield reasons
    finally:
        over.set()
        watcher.join()
