"""Which part of an arm disagrees, asked of two workers: the arm's own, and the reference's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np

from ..agreement.comparison import TensorComparison
from ..agreement.keys import TensorKey, Tensors, from_texts
from ..agreement.reference_files import StoredTensors, load_reference
from ..agreement.replay import Replay
from ..agreement.status import Status
from ..diagnosis.explain import explain
from ..diagnosis.explanation import Explanation
from ..diagnosis.replayer import ReplayResult
from ..errors import WorkerError
from ..protocol.arm import Arm
from ..worker.process import Worker
from .checking import CheckRequest, reference_backend
from .pool import BUILD_TIMEOUT_S, spawn, start_arguments
from .reporter import Reporter
from .scratch import scratch_folder


class WorkerReplayer:
    """Asks a started worker of the arm and one of the reference; what the reference says goes by files in `folder`."""

    def __init__(self, contender: Worker, reference: Worker, request: CheckRequest, dtype: str, folder: Path):
        self._contender, self._reference, self._folder = contender, reference, folder
        self._common = {"study": request.study, "seed": request.seed}
        self._numbers = count()
        self.dtype = dtype

    def compare_network(
        self, replay: Replay
    ) -> tuple[list[TensorComparison], Mapping[TensorKey, np.ndarray]]:
        comparisons, _, path = self._compared(replay, tensors=False)
        return comparisons, StoredTensors(path)

    def compare(self, replay: Replay) -> ReplayResult:
        comparisons, tensors, path = self._compared(replay, tensors=True)
        return ReplayResult(comparisons, tensors, load_reference(path).tensors)

    def reference_values(self, replay: Replay) -> Tensors:
        request = {"replay": replay.to_json(), **self._common}
        return from_texts(self._reference.call("node_values", BUILD_TIMEOUT_S, **request))

    def _compared(
        self, replay: Replay, tensors: bool
    ) -> tuple[list[TensorComparison], Tensors, Path]:
        """Comparisons, the contender's wrong tensors where they are asked for, and the reference's file."""
        path = self._folder / f"{next(self._numbers)}.npz"
        request = {"replay": replay.to_json(), "path": str(path), **self._common}
        self._reference.call("study_nodes", BUILD_TIMEOUT_S, **request)
        asked = request | {"dtype": self.dtype, "tensors": tensors}
        answer = self._contender.call("explain", BUILD_TIMEOUT_S, **asked)
        comparisons = [TensorComparison.from_json(row) for row in answer["comparisons"]]
        return comparisons, from_texts(answer["tensors"]), path


def explain_check(
    contender: Worker, reference: Worker, request: CheckRequest, dtype: str, rows: Sequence[Mapping]
) -> Explanation:
    """Why a check's rows of one arm and workload in `dtype` are not all right; the workers are started already."""
    request = request.in_precision(dtype)
    with scratch_folder("explain") as folder:
        replayer = WorkerReplayer(contender, reference, request, dtype, folder)
        return explain(request.workload, request.batches, rows, request.seed, replayer)


def explain_all(
    arms: Sequence[Arm], requests: Sequence[CheckRequest], rows: Sequence[Mapping], report: Reporter
) -> list[dict]:
    """An explanation for every arm, workload and element type that disagrees, in the order of the rows."""
    cases: dict[tuple[str, str, str], list[Mapping]] = {}
    for row in rows:
        cases.setdefault((row["arm"], row["workload"], row["dtype"]), []).append(row)
    wanted = {case: found for case, found in cases.items() if any(row["status"] == Status.DIFFERS for row in found)}
    if not wanted:
        return []
    report.stage("looking for the first divergence", len(wanted))
    named = {arm.name: arm for arm in arms}, {request.workload.name: request for request in requests}
    with started(reference_arm(), "explain-reference") as reference:
        return [_explained(*case, *named, found, reference, report) for case, found in wanted.items()]


def _explained(name, workload, dtype, arms, requests, rows, reference, report) -> dict:
    arm = arms[name]
    found = {"arm": name, "workload": workload, "dtype": dtype}
    try:
        with started(arm.with_dtype(dtype), f"explain-{arm.name}-{dtype}") as contender:
            explanation = explain_check(contender, reference, requests[workload], dtype, rows)
    except WorkerError as error:
        return found | {"error": str(error)}
    finally:
        report.advance(1, f"{name} {workload} {dtype}")
    return found | explanation.to_json()


def reference_arm() -> Arm:
    """The reference as an arm."""
    info = reference_backend()
    return Arm(info.name, info.default_mode, dtype="float64")


@contextmanager
def started(arm: Arm, name: str) -> Iterator[Worker]:
    """A worker of an arm, its framework imported."""
    with spawn(arm, name) as worker:
        worker.call("start", BUILD_TIMEOUT_S, **start_arguments(arm))
        yield worker
