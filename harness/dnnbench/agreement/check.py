"""A contender held against the reference, told as a table with one row for each kind of tensor."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.costs import training_step
from ..spec.workload import Workload
from .allowances import BUDGET, CHECK_BATCH, STEPS
from .comparing import Finding, compare, worst_of
from .observing import observe, optimizers_to_check, with_optimizer
from .reference import Reference
from .status import Status

REFUSED = "unsupported optimizer"
"""Kind of the row that stands for an optimizer which the backend does not have."""
UNDETERMINED = "undetermined"
"""Kind of the row that stands for all tensors after steps which the precision does not determine."""


class Agreement(NamedTuple):
    """The worst tensor of one kind (outputs, loss, gradients, weights@5, ...) under one optimizer."""

    kind: str
    optimizer: str
    tensor: str
    ratio: float
    tensors: int
    reason: str
    status: Status

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the arm."""
        return self.status.passes


def check_steps(workload: Workload) -> tuple[int, ...]:
    """How many steps are checked: 1 and 5, or 1 alone where five are too much work."""
    work = max(STEPS) * training_step(workload, check_batch_size(workload)).flops
    return STEPS if work <= BUDGET.work_flops else STEPS[:1]


def check_batch_size(workload: Workload) -> int:
    """Examples in a check's batch."""
    return min(workload.batch_size, CHECK_BATCH)


def check(
    build: Callable[[Workload], Program],
    workload: Workload,
    dtype: str,
    reference: Reference,
    batches: Sequence[Batch],
    steps: Sequence[int],
    refusal: Callable[[Workload], str | None] = lambda workload: None,
) -> list[Agreement]:
    """The worst tensor of every kind; a row with the reason for an optimizer that is not the workload's own and refused.

    refusal: why a variant of the workload cannot be built, or None.
    """
    own, *others = optimizers_to_check(workload)
    refused = {o.kind: reason for o in others if (reason := refusal(with_optimizer(workload, o)))}
    trained = [own, *(o for o in others if o.kind not in refused)]
    findings = compare(reference, observe(build, workload, batches, steps, trained), workload, dtype)
    asked = [finding for finding in findings if optimizer_of(finding.key) not in refused]
    return [*summarise(asked), *(_refused(kind, reason) for kind, reason in refused.items())]


def _refused(optimizer: str, reason: str) -> Agreement:
    return Agreement(REFUSED, optimizer, "", float("nan"), 0, reason, Status.UNSUPPORTED)


def summarise(findings: Sequence[Finding]) -> list[Agreement]:
    """One row a kind and optimizer, in the order in which they were observed."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_kind(finding), []).append(finding)
    return [_row(kind, optimizer, group) for (kind, optimizer), group in groups.items()]


def _row(kind: str, optimizer: str, group: list[Finding]) -> Agreement:
    worst, reason = worst_of(group), ""
    if worst.status is Status.UNDETERMINED:
        reason = f"{len(group)} tensor{'' if len(group) == 1 else 's'}: "
    return Agreement(kind, optimizer, worst.key, worst.ratio, len(group), reason + worst.reason, worst.status)


def _kind(finding: Finding) -> tuple[str, str]:
    """`momentum@5/weights/fc1.bias` -> ('weights@5', 'momentum'); `gradients/fc1.bias` -> ('gradients', '')."""
    first, _, rest = finding.key.partition("/")
    optimizer = optimizer_of(finding.key)
    if finding.status is Status.UNDETERMINED and not optimizer:
        return UNDETERMINED, ""
    if not optimizer:
        kinds = {"infer": "outputs", "forward": "outputs", "prediction": "outputs", "outputs": "outputs"}
        return kinds.get(first, first), ""
    step = first.partition("@")[2]
    if finding.status is Status.UNDETERMINED:
        return f"{UNDETERMINED}@{step}", optimizer
    return f"{rest.partition('/')[0]}@{step}", optimizer


def optimizer_of(key: str) -> str:
    """`momentum@5/weights/fc1.bias` -> 'momentum'; empty for what no optimizer has touched."""
    kind, at, _ = key.partition("/")[0].partition("@")
    return kind if at else ""
