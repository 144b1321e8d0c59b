"""Which part of an arm disagrees: the search, with replays in the arm's worker
and the reference's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..agreement.check import Agreement
from ..agreement.comparison import TensorComparison
from ..agreement.keys import TensorKey, Tensors
from ..agreement.reference import Reference
from ..agreement.reference_files import StoredTensors, load_reference
from ..agreement.replay import Replay
from ..agreement.status import Status
from ..agreement.trace import Trace
from ..diagnosis.explain import explain
from ..diagnosis.explanation import Explanation
from ..diagnosis.replayer import ReplayResult
from ..errors import WorkerError
from ..protocol.arm import Arm
from ..protocol.dtypes import DType
from ..worker.clients.agreement import AgreementClient
from ..worker.process import Worker
from ..worker.services.agreement import CheckRequest, NodeComparisons, ReplayRequest
from .agreement_rows import AgreementRow
from .checking import reference_backend
from .pool import started
from .reporter import Reporter
from .scratch import scratch_folder


class WorkerReplayer:
    """Replays in started workers of the arm and of the reference, whose tensors go by files
    in `folder`.
    """

    def __init__(
        self, tested: Worker, reference: Worker, request: CheckRequest, folder: Path
    ) -> None:
        self._tested, self._reference = AgreementClient(tested), AgreementClient(reference)
        self._folder, self._request = folder, request
        self._seed, self._dtype = request.seed, request.dtype
        self.dtype: str = request.dtype
        self._numbers = count()

    def compare_network(
        self, replay: Replay
    ) -> tuple[Sequence[TensorComparison], Mapping[TensorKey, np.ndarray]]:
        compared, path = self._compared(replay, tensors=False)
        return compared.comparisons, StoredTensors(path)

    def compare(self, replay: Replay) -> ReplayResult:
        compared, path = self._compared(replay, tensors=True)
        return ReplayResult(compared.comparisons, dict(compared.tensors), load_reference(path))

    def reference_values(self, replay: Replay) -> Tensors:
        return dict(self._reference.node_values(ReplayRequest(replay, self._dtype, self._seed)))

    def reference_in(self, replay: Replay, dtype: str) -> Reference:
        path = self._folder / f"{next(self._numbers)}.npz"
        request = ReplayRequest(replay, DType(dtype), self._seed)
        self._reference.make_node_reference(request, path)
        return load_reference(path)

    def find_traces(self) -> Sequence[Trace]:
        return self._tested.find_traces(self._request)

    def find_repeats(self) -> Sequence[TensorComparison]:
        return self._tested.find_repeats(self._request)

    def _compared(self, replay: Replay, tensors: bool) -> tuple[NodeComparisons, Path]:
        """Comparisons, with the arm's wrong tensors where `tensors` says so,
        and the reference's file.
        """
        path = self._folder / f"{next(self._numbers)}.npz"
        request = ReplayRequest(replay, self._dtype, self._seed)
        self._reference.make_node_reference(request, path)
        return self._tested.compare_nodes(request, path, tensors), path


@dataclass(frozen=True)
class ArmExplanation:
    """Why one arm disagrees on one workload in one element type.

    An error where a worker failed in the search.
    """

    arm: str
    workload: str
    dtype: str
    explanation: Explanation | None = None
    error: str = ""

    @property
    def sentence(self) -> str:
        """For a reader."""
        reason = self.explanation.sentence if self.explanation else self.error
        return f"{self.arm} {self.workload} {self.dtype}: {reason}"

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script."""
        place = {"arm": self.arm, "workload": self.workload, "dtype": str(self.dtype)}
        if self.explanation is None:
            return place | {"error": self.error}
        return place | self.explanation.to_json()


def explain_check(
    tested: Worker,
    reference: Worker,
    request: CheckRequest,
    dtype: DType,
    rows: Sequence[Agreement],
) -> Explanation:
    """Why a check's rows of one arm and workload in `dtype` are not all right.

    The workers are started already.
    """
    request = request.in_dtype(dtype)
    with scratch_folder("explain") as folder:
        replayer = WorkerReplayer(tested, reference, request, folder)
        return explain(request.workload, request.batches, rows, request.seed, replayer)


def explain_all(
    arms: Sequence[Arm],
    requests: Sequence[CheckRequest],
    rows: Sequence[AgreementRow],
    report: Reporter,
) -> list[ArmExplanation]:
    """An explanation for every arm, workload and element type that disagrees,
    in the order of the rows.
    """
    by_place: dict[tuple[str, str, str], list[Agreement]] = {}
    for row in rows:
        by_place.setdefault(row.place, []).append(row.agreement)
    differing = {place: checks for place, checks in by_place.items() if _differs(checks)}
    if not differing:
        return []
    report.stage("looking for the first divergence", len(differing))
    arm_of = {arm.name: arm for arm in arms}
    request_of = {request.workload.name: request for request in requests}
    explanations = []
    # One worker of the reference serves all searches.
    with started(reference_arm(), "explain-reference") as reference:
        for (name, workload, dtype), checks in differing.items():
            request = request_of[workload]
            explanations.append(_explained(arm_of[name], request, dtype, checks, reference))
            report.advance(1, f"{name} {workload} {dtype}")
    return explanations


def _differs(checks: Sequence[Agreement]) -> bool:
    return any(check.status is Status.DIFFERS for check in checks)


def _explained(
    arm: Arm, request: CheckRequest, dtype: str, rows: Sequence[Agreement], reference: Worker
) -> ArmExplanation:
    workload = request.workload.name
    try:
        with started(arm.with_dtype(DType(dtype)), f"explain-{arm.name}-{dtype}") as tested:
            explanation = explain_check(tested, reference, request, DType(dtype), rows)
    except WorkerError as error:
        return ArmExplanation(arm.name, workload, dtype, error=str(error))
    return ArmExplanation(arm.name, workload, dtype, explanation)


def reference_arm() -> Arm:
    """The reference as an arm."""
    info = reference_backend()
    return Arm(info.name, info.default_mode, dtype=DType.FLOAT64)
