"""What a check compared of each workload: tensors, rows, steps, branches, and what it left out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..agreement.allowances import BUDGET, STEPS
from ..agreement.conditions import unmet
from ..agreement.far import not_lifted, phases_far
from ..agreement.observing import optimizers_to_check
from ..agreement.reference_files import stored_gradient_norm
from ..agreement.status import Status
from ..agreement.timed import How, how
from ..protocol.dtypes import DType
from ..spec.ops.dropout import Thinning
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from ..wording import counted, listed
from ..worker.services.agreement import CheckRequest
from .agreement_rows import AgreementRow
from .checking import reference_path


@dataclass(frozen=True)
class Compared:
    """Of one workload.

    tensors: held against the reference, of the arm and type that has most of them
    rows: of each batch   timed_rows: of the timed one, if it was asked
    steps: after which training was looked at; none where it was not
    optimizers: that trained   branches: which ways through the network were taken
    left_out: what a reader could take for compared, each with its reason
    """

    workload: str
    tensors: int
    rows: int
    timed_rows: int | None
    steps: tuple[int, ...]
    optimizers: tuple[str, ...]
    branches: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For a reader."""
        parts = [
            f"{counted(self.tensors, 'tensor')} of {counted(self.rows, 'row')}",
            *self.branches,
        ]
        if self.steps:
            trained = f"{_in_words(self.steps)} steps of {' and of '.join(self.optimizers)}"
            parts.append(f"training after {trained}")
        left_out = f"; left out: {'; '.join(self.left_out)}" if self.left_out else ""
        return f"{self.workload}: compared {', '.join(parts)}{left_out}"

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script, the sentence among them."""
        return asdict(self) | {"sentence": self.sentence}


def _in_words(steps: Sequence[int]) -> str:
    """`1, 5 and 12`"""
    *before, last = map(str, steps)
    return f"{', '.join(before)} and {last}" if before else last


def compared(
    requests: Sequence[CheckRequest], rows: Sequence[AgreementRow]
) -> tuple[Compared, ...]:
    """What was compared of each workload that any arm was compared on, in their order."""
    by_workload: dict[str, list[CheckRequest]] = {}
    for request in requests:
        by_workload.setdefault(request.workload.name, []).append(request)
    of_each = [_compared(_called(of_one, rows), rows) for of_one in by_workload.values()]
    return tuple(one for one in of_each if one.tensors)


def _called(requests: Sequence[CheckRequest], rows: Sequence[AgreementRow]) -> list[CheckRequest]:
    """Requests of inference alone where no arm was compared in anything else."""
    name = requests[0].workload.name
    compared = [row for row in rows if row.workload == name and row.agreement.tensor]
    if any(row.agreement.key.phases != {Phase.INFER} for row in compared):
        return list(requests)
    inferred = tuple(phase for phase in requests[0].phases if phase is Phase.INFER)
    return [replace(request, phases=inferred) for request in requests]


def _tensors(workload: str, rows: Sequence[AgreementRow]) -> int:
    """Tensors that were held against the reference, of the arm and type that has most."""
    count: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.workload == workload and row.status in (Status.AGREES, Status.DIFFERS):
            place = row.arm, row.dtype
            count[place] = count.get(place, 0) + (row.agreement.tensors or 0)
    return max(count.values(), default=0)


def _compared(requests: Sequence[CheckRequest], rows: Sequence[AgreementRow]) -> Compared:
    request = requests[0]
    tensors = _tensors(request.workload.name, rows)
    workload, trains = request.workload, Phase.TRAIN_STEP in request.phases
    optimizers = optimizers_to_check(workload) if trains else []
    return Compared(
        workload=workload.name,
        tensors=tensors,
        rows=request.batches[0].size,
        timed_rows=_timed_rows(request),
        steps=request.steps if trains else (),
        optimizers=tuple(optimizer.kind for optimizer in optimizers),
        branches=_branches(requests),
        left_out=(*_left_out(request, trains), *_unmet(request, trains, rows)),
    )


def _unmet(request: CheckRequest, trains: bool, rows: Sequence[AgreementRow]) -> Iterator[str]:
    """Conditions that no example and no step met."""
    workload = request.workload
    timed = request.timed
    whole = timed is not None and how(workload, timed.size) is How.WHOLE
    batches = [*request.batches, *([timed] if timed is not None and whole else [])]
    norm = _gradient_norm(request, rows) if trains else None
    return unmet(workload, batches, max(request.steps) if trains else 0, norm)


def _gradient_norm(request: CheckRequest, rows: Sequence[AgreementRow]) -> float | None:
    """Of the reference's first batch, where the optimizer clips."""
    if request.workload.task.optimizer.clip_norm is None:
        return None
    dtypes = dict.fromkeys(row.dtype for row in rows if row.workload == request.workload.name)
    paths = [reference_path(request.in_dtype(DType(dtype))) for dtype in dtypes]
    norms = [stored_gradient_norm(path) for path in paths]
    return next((norm for norm in norms if norm is not None), None)


def _branches(requests: Sequence[CheckRequest]) -> tuple[str, ...]:
    request = requests[0]
    branches = []
    if Phase.INFER in request.phases:
        branches.append("as it infers")
    if set(PHASES[1:]) & set(request.phases):
        random = any(isinstance(node.op, Thinning) for node in request.workload.model.nodes)
        masks = " with masks from outside and with its own" if random else ""
        branches.append(f"as it trains{masks}")
    if Phase.TRAIN_STEP in request.phases:
        branches.append("from the initial weights that are timed")
    if phases_far(request.workload, request.phases):
        branches.append("with logits or scores of attention far from 1 (float64 and float32 alone)")
    if any(one.weights is not None for one in requests):
        branches.append("from given weights too")
    if request.timed is not None and (rows := _timed_rows(request)):
        plural = "" if rows == 1 else "s"
        branches.append(f"{how(request.workload, rows)} ({rows} row{plural})")
    return tuple(branches)


def _timed_rows(request: CheckRequest) -> int | None:
    if request.timed is None or how(request.workload, request.timed.size) is How.NOT:
        return None
    return request.timed.size


def _left_out(request: CheckRequest, trains: bool) -> list[str]:
    left_out = []
    if trains and max(request.steps) < max(STEPS):
        left_out.append(
            f"steps {max(request.steps) + 1} to {max(STEPS)}, "
            f"as {max(STEPS)} steps would take more than {BUDGET.work_flops:.0e} operations"
        )
    if request.timed is not None and (what := _not_asked(request.workload, request.timed.size)):
        left_out.append(f"of the timed batch of {request.timed.size} {what}")
    if fixed := not_lifted(request.workload):
        left_out.append(f"{listed(fixed)} far from 1, as no bias of their own lifts them")
    return left_out


def _not_asked(workload: Workload, rows: int) -> str:
    costs = (
        f"as one evaluation would take more than {BUDGET.whole_flops:.0e} operations "
        f"or {BUDGET.whole_bytes / 2**30:.0f} GiB"
    )
    match how(workload, rows):
        case How.IN_PARTS:
            return f"the update, {costs}"
        case How.INFERENCE:
            return f"training, {costs}"
        case How.NOT:
            return f"everything, {costs}"
    return ""
