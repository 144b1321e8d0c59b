"""Which part of an arm disagrees, asked of two workers: the arm's own, and the reference's."""

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from ..agreement.comparison import TensorComparison
from ..agreement.keys import TensorKey, Tensors
from ..agreement.reference_files import StoredTensors, load_reference
from ..agreement.replay import Replay
from ..agreement.status import Status
from ..diagnosis.explain import explain
from ..diagnosis.explanation import Explanation
from ..diagnosis.replayer import ReplayResult
from ..errors import WorkerError
from ..protocol.arm import Arm
from ..worker.clients.agreement import AgreementClient
from ..worker.process import Worker
from ..worker.services.agreement import CheckRequest, NodeComparisons, ReplayRequest
from .checking import reference_backend
from .pool import started
from .reporter import Reporter
from .scratch import scratch_folder


class WorkerReplayer:
    """Asks a started worker of the arm and one of the reference; references of replays go by files in `folder`."""

    def __init__(self, contender: Worker, reference: Worker, request: CheckRequest, folder: Path):
        self._contender, self._reference = AgreementClient(contender), AgreementClient(reference)
        self._folder, self._seed, self.dtype = folder, request.seed, request.dtype
        self._numbers = count()

    def compare_network(
        self, replay: Replay
    ) -> tuple[Sequence[TensorComparison], Mapping[TensorKey, np.ndarray]]:
        compared, path = self._compared(replay, tensors=False)
        return compared.comparisons, StoredTensors(path)

    def compare(self, replay: Replay) -> ReplayResult:
        compared, path = self._compared(replay, tensors=True)
        return ReplayResult(compared.comparisons, dict(compared.tensors), load_reference(path).tensors)

    def reference_values(self, replay: Replay) -> Tensors:
        return dict(self._reference.node_values(ReplayRequest(replay, self.dtype, self._seed)))

    def _compared(self, replay: Replay, tensors: bool) -> tuple[NodeComparisons, Path]:
        """Comparisons, with the arm's wrong tensors where they are asked for, and the reference's file."""
        path = self._folder / f"{next(self._numbers)}.npz"
        request = ReplayRequest(replay, self.dtype, self._seed)
        self._reference.make_node_reference(request, path)
        return self._contender.compare_nodes(request, path, tensors), path


def explain_check(
    contender: Worker, reference: Worker, request: CheckRequest, dtype: str, rows: Sequence[Mapping]
) -> Explanation:
    """Why a check's rows of one arm and workload in `dtype` are not all right; the workers are started already."""
    request = request.in_dtype(dtype)
    with scratch_folder("explain") as folder:
        replayer = WorkerReplayer(contender, reference, request, folder)
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


def _explained(arm, workload, dtype, arms, requests, rows, reference, report) -> dict:
    arm = arms[arm]
    found = {"arm": arm, "workload": workload, "dtype": dtype}
    try:
        with started(arm.with_dtype(dtype), f"explain-{arm.name}-{dtype}") as contender:
            explanation = explain_check(contender, reference, requests[workload], dtype, rows)
    except WorkerError as error:
        return found | {"error": str(error)}
    finally:
        report.advance(1, f"{arm} {workload} {dtype}")
    return found | explanation.to_json()


def reference_arm() -> Arm:
    """The reference as an arm."""
    info = reference_backend()
    return Arm(info.name, info.default_mode, dtype="float64")
