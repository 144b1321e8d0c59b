"""Do all arms compute the same thing? Asked in workers of their own, before any time is taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from ..agreement.check import check_batch_size, check_steps
from ..agreement.reference_files import reference_key
from ..agreement.status import Status, badness
from ..data.dataset import Dataset
from ..data.masks import random_masks
from ..errors import WorkerError
from ..plugins.discovery import plugins, source_digest
from ..plugins.hooks import BackendInfo
from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..spec.workload import Workload
from ..worker.process import Worker, WorkerLost
from .arms import info_of
from .batch import timing_batch
from .cache import cache_folder, remove_older
from .parallel import in_parallel
from .pool import BUILD_TIMEOUT_S, spawn, start_arguments
from .reporter import Reporter

MOST_GROWN_BYTES = 2**29
"""A worker that a check leaves larger by more is replaced by a fresh one: XLA keeps what it compiled."""
PHRASES = {
    Status.DIFFERS: "differs from the reference",
    Status.NOT_COMPARED: "could not be compared with the reference",
    Status.COULD_NOT_RUN: "could not run in the check",
}
"""How a sentence puts what speaks against an arm."""


@dataclass(frozen=True)
class CheckRequest:
    """What one workload is checked on: five batches, and where the reference's answers lie."""

    workload: Workload
    batches: tuple[Batch, ...]
    steps: tuple[int, ...]
    seed: int
    study: str = "float64"
    """The precision of the answers: the reference measures its honest error."""

    def in_precision(self, dtype: str) -> "CheckRequest":
        """The request that results in `dtype` are held against."""
        return replace(self, study=dtype)

    @property
    def path(self) -> Path:
        key = reference_key(self.workload, self.batches, self.steps, self.seed, _code(), self.study)
        return cache_folder() / "references" / f"{key}.npz"

    def questions(self) -> dict:
        """What a worker needs to be asked."""
        return {
            "workload": self.workload.model_dump(mode="json"),
            "batches": [asdict(batch) for batch in self.batches],
            "steps": list(self.steps),
            "seed": self.seed,
            "path": str(self.path),
            "study": self.study,
        }


def check_request(workload: Workload, dataset: Dataset, seed: int) -> CheckRequest:
    """Different examples in every step, masks included."""
    steps, size = check_steps(workload), check_batch_size(workload)
    examples = timing_batch(dataset, size * max(steps), seed)
    batches = []
    for i in range(max(steps)):
        rows = examples.rows(slice(i * size, (i + 1) * size))
        batches.append(Batch(rows.inputs, rows.targets, random_masks(workload.model, size, seed + i)))
    return CheckRequest(workload, tuple(batches), steps, seed)


def check_agreement(
    arms: Sequence[Arm], requests: Sequence[CheckRequest], at_once: int, dtypes: Sequence[str], report: Reporter
) -> list[dict]:
    """Rows of the store's `agreement` table: the worst tensor of each kind, for each arm, workload and element type."""
    report.stage("checking that all arms agree", len(arms) * len(requests) * len(dtypes) + 1)
    ensure_references(list({e.path: e for request in requests for e in map(request.in_precision, dtypes)}.values()))
    report.advance(1, "reference")
    tasks = [(arm, group) for arm in arms for group in _groups(arm, dtypes)]
    parts = in_parallel(lambda task: list(_check_arm(*task, requests, report)), tasks, at_once)
    rows = [row for part in parts for row in part]
    place = {
        (arm.name, request.workload.name, dtype): i
        for i, (arm, request, dtype) in enumerate(
            (arm, request, dtype) for request in requests for arm in arms for dtype in dtypes
        )
    }
    return sorted(rows, key=lambda row: place[row["arm"], row["workload"], row["dtype"]])


@dataclass(frozen=True)
class Unproven:
    """Why an arm is not known to compute the same as the reference: a status that does not pass, and the reason."""

    status: Status
    reason: str

    @property
    def sentence(self) -> str:
        """For a reader, after the arm's name."""
        return f"{PHRASES[self.status]}: {self.reason}"


def unproven(rows: Sequence[dict]) -> dict[tuple[str, str], Unproven]:
    """(arm, workload) -> the worst that its checks found, for those that did not all pass."""
    worst: dict[tuple[str, str], dict] = {}
    for row in rows:
        key = row["arm"], row["workload"]
        worst[key] = max(worst.get(key, row), row, key=badness_of)
    return {key: _unproven(row) for key, row in worst.items() if not row["ok"]}


def _unproven(row: dict) -> Unproven:
    where = f"{row['tensor']} in {row['dtype']}" if row["tensor"] else row["dtype"]
    return Unproven(Status(row["status"]), f"{where}: {row['reason']}")


def badness_of(row: Mapping[str, Any]) -> tuple[int, float]:
    """A key by which `max` finds the worst of a check's rows."""
    return badness(Status(row["status"]), row["ratio"])


def undetermined(rows: Sequence[dict]) -> list[str]:
    """What the precision does not determine and nobody was asked about, in words; it is the same for all arms."""
    found = [row for row in rows if row["status"] == Status.UNDETERMINED]
    return list(dict.fromkeys(map(_not_compared, found)))


def _not_compared(row: dict) -> str:
    steps = row["kind"].partition("@")[2]
    part = f"what step {steps} of {row['optimizer']} leaves" if steps else "the gradients"
    return f"{row['workload']} {row['dtype']}: not judged here: of {part} {row['reason']}"


def _groups(arm: Arm, dtypes: Sequence[str]) -> list[tuple[str, ...]]:
    """Element types that may share a worker: all, unless float64 is a switch of the whole process."""
    if info_of(arm).float64_apart:
        return [(dtype,) for dtype in dtypes]
    return [tuple(dtypes)]


def ensure_references(requests: Sequence[CheckRequest]) -> None:
    """Make the references that are not in the cache yet, in one worker."""
    wanted = [request for request in requests if not request.path.exists()]
    if not wanted:
        return
    remove_older(wanted[0].path.parent, "*.unfinished", days=1)  # of a worker that was killed as it wrote
    reference = reference_backend()
    arm = Arm(reference.name, reference.default_mode, dtype="float64")
    with spawn(arm, "reference") as worker:
        worker.call("start", BUILD_TIMEOUT_S, **start_arguments(arm))
        for request in wanted:
            worker.call("make_reference", BUILD_TIMEOUT_S, **request.questions())


def reference_backend() -> BackendInfo:
    """The backend that all others are checked against."""
    return plugins().reference


@lru_cache(maxsize=1)
def _code() -> str:
    """Digest of the sources that make a reference: a change to any of them makes every cached one stale."""
    return source_digest(
        reference_backend().target.partition(".")[0], "dnnbench.agreement", "dnnbench.spec", "dnnbench.protocol"
    )


def _check_arm(
    arm: Arm, dtypes: tuple[str, ...], requests: Sequence[CheckRequest], report: Reporter
) -> Iterator[dict]:
    """Workers, one after the other, asked about every request in some element types; what fails becomes a row that says so."""
    asked = [(request.in_precision(dtype), dtype) for request in requests for dtype in dtypes]
    arm = arm.with_dtype(dtypes[0])
    try:
        while asked:
            with spawn(arm, f"check-{arm.name}-{'-'.join(dtypes)}") as worker:
                worker.call("start", BUILD_TIMEOUT_S, **start_arguments(arm))
                enough = _resident_bytes(worker) + MOST_GROWN_BYTES
                while asked:
                    request, dtype = asked[0]
                    found = _ask(worker, request, dtype)
                    asked.pop(0)
                    yield from (_row(arm, request, dtype, item) for item in found)
                    report.advance(1, f"{arm.name} {request.workload.name} {dtype}")
                    if _resident_bytes(worker) > enough:
                        break
    except WorkerError as error:
        yield from (_row(arm, request, dtype, _nothing(Status.COULD_NOT_RUN, str(error))) for request, dtype in asked)


def _resident_bytes(worker: Worker) -> int:
    return psutil.Process(worker.pid).memory_info().rss


def _ask(worker: Worker, request: CheckRequest, dtype: str) -> list[dict]:
    """The worker's rows; an exception in it is an answer too, its death is not."""
    try:
        return worker.call("check", BUILD_TIMEOUT_S, dtype=dtype, **request.questions())
    except WorkerLost:
        raise
    except WorkerError as error:
        status = Status.UNSUPPORTED if error.kind == "PluginError" else Status.COULD_NOT_RUN
        return [_nothing(status, str(error))]


def _nothing(status: Status, reason: str) -> dict:
    """The row that stands for an arm of which nothing was compared."""
    nothing = {"kind": str(status), "optimizer": "", "ratio": float("nan"), "tensor": ""}
    return {**nothing, "status": str(status), "ok": status.passes, "reason": reason}


def _row(arm: Arm, request: CheckRequest, dtype: str, item: dict) -> dict:
    kept = {key: item[key] for key in ("kind", "optimizer", "status", "ratio", "tensor", "ok", "reason")}
    return {"arm": arm.name, "workload": request.workload.name, "dtype": dtype, **kept}
