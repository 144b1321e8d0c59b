"""Memory by part: what the spec foretells of weights, optimizer state and activations, beside what was measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..spec.costs import MemoryParts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Memory:
    """One purpose of one arm in one case, in bytes; None where there is no counter.

    weights, optimizer: the program's own arrays.  peak_rss: of the whole process during one call of the phase, the framework
    included, after everything freed before was given back.
    """

    workload: str
    batch_size: int
    arm: str
    backend: str
    phase: str
    by_spec: MemoryParts
    weights: int
    optimizer: int
    peak_rss: int | None
    peak_device: int | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"by_spec": self.by_spec._asdict()}


def memory_of(cells: "pd.DataFrame", found: Mapping[str, Mapping[str, Any]]) -> list[Memory]:
    """A row for every purpose whose parts the first generation took, in the order of the plan.

    cells: the store's frame   found: by `<arm> <workload>/<batch>`, as `run.record.Record.memory` has it.
    """
    rows = []
    for cell in cells.itertuples():
        told = found.get(f"{cell.arm} {cell.workload}/{cell.batch_size}", {})
        if by_spec := told.get("by_spec", {}).get(cell.phase):
            rows.append(_memory(cell, told, MemoryParts(**by_spec)))
    return rows


def _memory(cell, told: Mapping[str, Any], by_spec: MemoryParts) -> Memory:
    return Memory(
        cell.workload, int(cell.batch_size), cell.arm, cell.backend, cell.phase, by_spec,
        told["weights_bytes"], told["optimizer_bytes"], _count(cell.peak_rss_bytes), _count(cell.peak_device_bytes),
    )  # fmt: skip


def _count(value) -> int | None:
    import pandas as pd

    return None if pd.isna(value) else int(value)
