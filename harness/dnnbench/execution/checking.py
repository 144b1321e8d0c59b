"""Whether all arms compute the same thing: checked in workers of their own,
before any time is taken.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, product
from pathlib import Path

import numpy as np
import psutil

from ..agreement.check import Agreement, Kind, check_batch_size, check_steps, phases_to_check
from ..agreement.conditions import meeting
from ..agreement.reference_files import reference_key
from ..agreement.status import Status
from ..data.dataset import Dataset
from ..data.masks import random_masks
from ..errors import PluginError, WorkerError
from ..plugins.discovery import plugins, source_digest
from ..plugins.hooks import BackendInfo
from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from ..worker.clients.agreement import AgreementClient
from ..worker.ended import WorkerLost
from ..worker.process import Worker
from ..worker.services.agreement import CheckRequest
from .agreement_rows import AgreementRow, nothing_compared
from .backend_info import info_of
from .batch import timing_batch
from .cache import cache_folder, remove_older
from .parallel import in_parallel
from .pool import started
from .reporter import Reporter

MOST_GROWN_BYTES = 2**29
"""A worker that a check leaves larger by more is replaced by a fresh one:
XLA keeps what it compiled.
"""


def reference_path(request: CheckRequest) -> Path:
    """Where the reference of a request lies in the cache, made or not."""
    key = reference_key(
        request.workload,
        request.batches,
        request.steps,
        request.seed,
        _code(),
        request.dtype,
        request.phases,
        request.weights,
        request.timed,
    )
    return cache_folder() / "references" / f"{key}.npz"


def check_requests(
    workload: Workload,
    dataset: Dataset,
    seed: int,
    timed: Collection[Phase],
    weights: Mapping[str, np.ndarray] | None = None,
    rows: int | None = None,
) -> list[CheckRequest]:
    """What is checked where some phases of a workload are timed.

    Inference with given weights as well, if there are any.
    rows: of the batch that is timed; None for the workload's own
    """
    request = check_request(workload, dataset, seed, phases_to_check(timed, workload), rows)
    if weights is None or Phase.INFER not in request.phases:
        return [request]
    return [request, replace(request, phases=(Phase.INFER,), weights=weights, timed=None)]


def check_request(
    workload: Workload,
    dataset: Dataset,
    seed: int,
    phases: tuple[Phase, ...] = PHASES,
    timed_rows: int | None = None,
) -> CheckRequest:
    """Different examples in every step, masks included; the second step has an example less,
    as the last batch of an epoch, and the first one meets what examples may not.
    """
    steps, size = check_steps(workload), check_batch_size(workload)
    examples = timing_batch(dataset, size * max(steps), seed)
    batches = []
    for i in range(max(steps)):
        rows = examples.rows(slice(i * size, (i + 1) * size))
        if i == 1 and size > 2:
            rows = rows.rows(slice(1, None))
        if i == 0:
            rows = meeting(workload, rows)
        masks = random_masks(workload.model, rows.size, seed + i)
        batches.append(Batch(rows.inputs, rows.targets, masks))
    timed = _timed_batch(workload, dataset, seed, timed_rows or workload.batch_size)
    return CheckRequest(workload, tuple(batches), steps, seed, phases=phases, timed=timed)


def _timed_batch(workload: Workload, dataset: Dataset, seed: int, rows: int) -> Batch | None:
    """The batch that is timed, and masks for it; None where every check's batch is as large."""
    if rows == check_batch_size(workload):
        return None
    batch = timing_batch(dataset, rows, seed)
    return replace(batch, masks=random_masks(workload.model, rows, seed))


def check_agreement(
    arms: Mapping[Arm, Sequence[DType]],
    requests: Sequence[CheckRequest],
    at_once: int,
    report: Reporter,
) -> list[AgreementRow]:
    """Rows of the store's `agreement` table: the worst tensor of each kind, for each arm,
    workload and element type.

    arms: the types that each is checked in.  Arms that differ in their own type alone compute
    the same in any other one, and are asked once.
    """
    types = _types_of(arms)
    report.stage("checking that all arms agree", len(requests) * sum(map(len, types.values())) + 1)
    every_type = dict.fromkeys(chain.from_iterable(types.values()))
    in_each_type = [request.in_dtype(dtype) for request, dtype in product(requests, every_type)]
    ensure_references(list({reference_path(one): one for one in in_each_type}.values()))
    report.advance(1, "reference")
    tasks: list[tuple[Arm, tuple[DType, ...]]] = []
    for arm, dtypes in types.items():
        tasks += [(arm, group) for group in _groups(arm, dtypes)]

    def rows_of(task: tuple[Arm, tuple[DType, ...]]) -> list[AgreementRow]:
        return list(_check_arm(*task, requests, report))

    answers = zip(tasks, in_parallel(rows_of, tasks, at_once), strict=True)
    by_arm: dict[Arm, list[AgreementRow]] = {}
    for (arm, _), rows in answers:
        by_arm.setdefault(arm, []).extend(rows)
    names = dict.fromkeys(request.workload.name for request in requests)
    # Tasks end in any order; a reader looks for a workload, then for its arms.
    return [
        replace(row, arm=arm.name)
        for name in names
        for arm, dtypes in arms.items()
        for dtype in dtypes
        for row in by_arm[_in_any_type(arm)]
        if (row.workload, row.dtype) == (name, dtype)
    ]


def _types_of(arms: Mapping[Arm, Sequence[DType]]) -> dict[Arm, tuple[DType, ...]]:
    """The types to check in, by what computes: an arm but for its type."""
    types: dict[Arm, dict[DType, None]] = {}
    for arm, dtypes in arms.items():
        types.setdefault(_in_any_type(arm), {}).update(dict.fromkeys(dtypes))
    return {arm: tuple(dtypes) for arm, dtypes in types.items()}


def _in_any_type(arm: Arm) -> Arm:
    shown = tuple(option for option in arm.shown if option != "dtype")
    return replace(arm, dtype=DType.FLOAT64, shown=shown)


def _groups(arm: Arm, dtypes: Sequence[DType]) -> list[tuple[DType, ...]]:
    """Element types that may share a worker: all, unless float64 is a switch
    of the whole process.
    """
    if info_of(arm).float64_apart:
        return [(dtype,) for dtype in dtypes]
    return [tuple(dtypes)]


def ensure_references(requests: Sequence[CheckRequest]) -> None:
    """Make the references that are not in the cache yet, in one worker."""
    paths = {reference_path(request): request for request in requests}
    missing = {path: request for path, request in paths.items() if not path.exists()}
    if not missing:
        return
    folder = next(iter(missing)).parent
    remove_older(folder, "*.unfinished", days=1)  # of a worker that was killed as it wrote
    backend = reference_backend()
    arm = Arm(backend.name, backend.default_mode, dtype=DType.FLOAT64)
    with started(arm, "reference") as worker:
        for path, request in missing.items():
            AgreementClient(worker).make_reference(request, path)


def reference_backend() -> BackendInfo:
    """The backend that all others are checked against."""
    return plugins().reference


@lru_cache(maxsize=1)
def _code() -> str:
    """Digest of the sources that make a reference: a change to any of them makes every
    cached one stale.
    """
    return source_digest(
        reference_backend().target.partition(".")[0],
        "dnnbench.agreement",
        "dnnbench.spec",
        "dnnbench.protocol",
    )


def _check_arm(
    arm: Arm, dtypes: tuple[DType, ...], requests: Sequence[CheckRequest], report: Reporter
) -> Iterator[AgreementRow]:
    """All requests in some element types, in one worker after the other.

    A failure becomes a row.
    """
    waiting = [request.in_dtype(dtype) for request, dtype in product(requests, dtypes)]
    arm = arm.with_dtype(dtypes[0])
    try:
        while waiting:
            with started(arm, f"check-{arm.name}-{'-'.join(dtypes)}") as worker:
                most_bytes = _resident_bytes(worker) + MOST_GROWN_BYTES
                while waiting:
                    request = waiting[0]
                    agreements = _agreements(worker, request)
                    waiting.pop(0)
                    yield from (_row(arm, request, agreement) for agreement in agreements)
                    report.advance(1, f"{arm.name} {request.workload.name} {request.dtype}")
                    if _resident_bytes(worker) > most_bytes:
                        break
    except WorkerError as error:
        lost = nothing_compared(Status.COULD_NOT_RUN, str(error))
        yield from (_row(arm, request, lost) for request in waiting)


def _resident_bytes(worker: Worker) -> int:
    return psutil.Process(worker.pid).memory_info().rss


def _agreements(worker: Worker, request: CheckRequest) -> Sequence[Agreement]:
    """What the worker says of a request; an exception in it is an answer too, its death is not."""
    try:
        return AgreementClient(worker).check(request, reference_path(request))
    except WorkerLost:
        raise
    except WorkerError as error:
        status = Status.UNSUPPORTED if error.kind == PluginError.__name__ else Status.COULD_NOT_RUN
        return [nothing_compared(status, str(error))]


def _row(arm: Arm, request: CheckRequest, agreement: Agreement) -> AgreementRow:
    if request.weights is not None:
        kind = replace(Kind.parse(agreement.kind), given_weights=True)
        agreement = replace(agreement, kind=str(kind))
    return AgreementRow(arm.name, request.workload.name, request.dtype, agreement)
