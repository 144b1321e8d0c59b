"""A contender held against the reference, told as a table with one row for each kind of tensor."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.costs import training_step
from ..spec.workload import Workload
from .budget import BUDGET, CHECK_BATCH, STEPS
from .compare import Finding, compare
from .observe import observe
from .reference import Reference

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

    @property
    def ok(self) -> bool:
        """NaN does not agree."""
        return self.ratio <= 1


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
) -> list[Agreement]:
    """The worst tensor of every kind."""
    return summarise(compare(reference, observe(build, workload, batches, steps), workload, dtype))


def summarise(findings: Sequence[Finding]) -> list[Agreement]:
    """One row a kind and optimizer, in the order in which they were observed."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_kind(finding), []).append(finding)
    return [_row(kind, optimizer, group) for (kind, optimizer), group in groups.items()]


def _row(kind: str, optimizer: str, group: list[Finding]) -> Agreement:
    worst = max(group, key=lambda f: f.ratio if f.ratio == f.ratio else float("inf"))
    return Agreement(kind, optimizer, worst.key, worst.ratio, len(group), worst.reason)


def _kind(finding: Finding) -> tuple[str, str]:
    """`momentum@5/weights/fc1.bias` -> ('weights@5', 'momentum'); `gradients/fc1.bias` -> ('gradients', '')."""
    first, _, rest = finding.key.partition("/")
    if "@" not in first:
        kinds = {"infer": "outputs", "forward": "outputs", "prediction": "outputs", "outputs": "outputs"}
        return kinds.get(first, first), ""
    optimizer, _, step = first.partition("@")
    if finding.undetermined:
        return f"{UNDETERMINED}@{step}", optimizer
    return f"{rest.partition('/')[0]}@{step}", optimizer
