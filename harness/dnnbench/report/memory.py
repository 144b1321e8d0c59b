"""Memory by part: what the spec foretells of weights, optimizer state and activations, beside what
was measured.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..execution.facts import GenerationFacts, ProgramMemory
from ..spec.costs import MemoryParts
from ..store.run_rows import CellRow


@dataclass(frozen=True)
class Memory:
    """One purpose of one arm in one case, in bytes; None where there is no counter.

    weights, optimizer: the program's own arrays.  peak_rss: of the whole process during one call of
    the phase, the framework included, after everything freed before was given back.
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


def memory_of(cells: Iterable[CellRow], facts: GenerationFacts) -> list[Memory]:
    """A row for every purpose whose parts the first generation took, in the order of the plan.

    cells: of a run   facts: of the first generation.
    """
    rows = []
    for cell in cells:
        memory = facts.program(cell.key.program).memory
        if memory is not None and cell.phase in memory.by_spec:
            rows.append(_memory(cell, memory))
    return rows


def _memory(cell: CellRow, memory: ProgramMemory) -> Memory:
    return Memory(
        cell.workload,
        cell.batch_size,
        cell.arm,
        cell.backend,
        cell.phase,
        memory.by_spec[cell.phase],
        memory.weights_bytes,
        memory.optimizer_bytes,
        cell.peak_rss_bytes,
        cell.peak_device_bytes,
    )
