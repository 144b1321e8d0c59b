"""Rows of a check: the worst tensor of each kind, for each arm, workload and element type."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..agreement.check import Agreement, Kind
from ..agreement.status import Status

PHRASES = {
    Status.DIFFERS: "differs from the reference",
    Status.NOT_COMPARED: "could not be compared with the reference",
    Status.COULD_NOT_RUN: "could not run in the check",
}
"""How a sentence puts what speaks against an arm."""


@dataclass(frozen=True)
class AgreementRow:
    """A row of the store's `agreement` table, and of `check --json`.

    Where nothing was compared, its kind is its status, and it has no tensor.
    """

    arm: str
    workload: str
    dtype: str
    agreement: Agreement

    @property
    def place(self) -> tuple[str, str, str]:
        """(arm, workload, element type)"""
        return self.arm, self.workload, self.dtype

    @property
    def status(self) -> Status:
        """What became of the comparison."""
        return self.agreement.status

    @property
    def badness(self) -> tuple[int, float]:
        """A key by which `max` finds the worst row."""
        return self.agreement.badness

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store and for a script."""
        return {
            "arm": self.arm,
            "workload": self.workload,
            "dtype": str(self.dtype),
            "kind": self.agreement.kind,
            "optimizer": self.agreement.optimizer,
            "status": str(self.agreement.status),
            "ratio": self.agreement.ratio,
            "tensor": self.agreement.tensor,
            "tensors": self.agreement.tensors,
            "ok": self.agreement.ok,
            "reason": self.agreement.reason,
        }


def agreement_rows(records: Iterable[Mapping[str, Any]]) -> list[AgreementRow]:
    """Rows of the store's frame `agreement`."""
    return [_row(record) for record in records]


def _row(record: Mapping[str, Any]) -> AgreementRow:
    ratio = record["ratio"]
    agreement = Agreement(
        kind=record["kind"],
        optimizer=record["optimizer"] or "",
        tensor=record["tensor"] or "",
        ratio=float("nan") if ratio is None else ratio,
        tensors=record["tensors"],
        reason=record["reason"] or "",
        status=Status(record["status"]),
    )
    return AgreementRow(record["arm"], record["workload"], record["dtype"], agreement)


def nothing_compared(status: Status, reason: str) -> Agreement:
    """What stands for an arm of which no tensor was compared."""
    return Agreement(str(status), "", "", float("nan"), 0, reason, status)


def worst_rows(rows: Iterable[AgreementRow]) -> list[AgreementRow]:
    """The worst row for each arm, workload and element type, in the order in which they stood."""
    worst: dict[tuple[str, str, str], tuple[int, AgreementRow]] = {}
    for number, row in enumerate(rows):
        before = worst.get(row.place)
        if before is None or row.badness > before[1].badness:
            worst[row.place] = number, row
    return [row for _, row in sorted(worst.values(), key=lambda pair: pair[0])]


@dataclass(frozen=True)
class Unproven:
    """Why an arm is not proven to compute the same as the reference: a status, and the reason."""

    status: Status
    reason: str

    @property
    def sentence(self) -> str:
        """For a reader, after the arm's name."""
        return f"{PHRASES[self.status]}: {self.reason}"


def unproven(rows: Sequence[AgreementRow]) -> dict[tuple[str, str], Unproven]:
    """(arm, workload) -> the worst row of its checks, for those that did not all pass."""
    worst: dict[tuple[str, str], AgreementRow] = {}
    for row in rows:
        key = row.arm, row.workload
        worst[key] = max(worst.get(key, row), row, key=lambda row: row.badness)
    return {key: _unproven(row) for key, row in worst.items() if not row.agreement.ok}


def _unproven(row: AgreementRow) -> Unproven:
    tensor = row.agreement.tensor
    where = f"{tensor} in {row.dtype}" if tensor else row.dtype
    return Unproven(row.status, f"{where}: {row.agreement.reason}")


def undetermined(rows: Sequence[AgreementRow]) -> list[str]:
    """What the precision does not determine, in words; it is the same for all arms."""
    sentences = [_not_judged(row) for row in rows if row.status is Status.UNDETERMINED]
    return list(dict.fromkeys(sentences))


def _not_judged(row: AgreementRow) -> str:
    step = Kind.parse(row.agreement.kind).step
    part = f"what step {step} of {row.agreement.optimizer} leaves" if step else "the gradients"
    return f"{row.workload} {row.dtype}: not judged here: of {part} {row.agreement.reason}"
