"""Memory by part: what is held, what the spec foretells, and the peak of the process."""

from ..builders import Builder
from ..cells import arm_cell
from ..evidence import Evidence
from ..memory import Memory
from ..quantity import scaled
from ..section import Cell, Column, Section, table

COLUMNS = (
    Column("workload", once=True),
    Column("phase"),
    Column("arm"),
    Column("weights", number=True),
    Column("optimizer", number=True, spare=5),
    Column("gradients", number=True, spare=3),
    Column("activations", number=True, spare=4),
    Column("batch", number=True, spare=1),
    Column("process peak", number=True),
    Column("on the device", number=True, spare=2),
)
LEAD = (
    "Weights and optimizer state are the program's own arrays, with what the network's "
    "specification foretells beside them where that is another figure; gradients, activations and "
    "the batch are the specification's, with nothing fused and nothing freed. The peak is the "
    "whole worker process's during one call, the framework included, after what earlier calls and "
    "cases had freed was given back."
)


def memory(evidence: Evidence) -> Section | None:
    """None where no generation took the parts."""
    rows = evidence.memory
    if not rows:
        return None
    return Section(
        id="memory",
        title="Memory by part",
        sentences=tuple(_most(rows)),
        tables=(table(COLUMNS, [_row(row) for row in rows]),),
        lead=LEAD,
        brief="weights and optimizer as held; the rest by the spec",
        data={"memory": [row.to_json() for row in rows]},
    )


def _most(rows: list[Memory]) -> list[str]:
    peaks = [(row.peak_rss, row) for row in rows if row.peak_rss is not None]
    if not peaks:
        return []
    peak, row = max(peaks, key=lambda pair: pair[0])
    where = f"{row.arm} in {row.phase} of {row.workload}/{row.batch_size}"
    return [f"The highest peak of a process is {scaled(peak, 'B')}: {where}"]


def _row(row: Memory) -> tuple[Cell, ...]:
    spec = row.by_spec
    figures = (
        _both(row.weights, spec.weights),
        "" if row.phase == "infer" else _both(row.optimizer, spec.optimizer),
        scaled(spec.gradients, "B"),
        scaled(spec.activations, "B"),
        scaled(spec.batch, "B"),
        scaled(row.peak_rss, "B"),
        scaled(row.peak_device, "B"),
    )
    where = Cell(f"{row.workload}/{row.batch_size}"), Cell(row.phase)
    return (*where, arm_cell(row.arm, row.backend), *(Cell(figure) for figure in figures))


def _both(held: int, by_spec: int) -> str:
    if held == by_spec:
        return scaled(held, "B")
    return f"{scaled(held, 'B')} (spec {scaled(by_spec, 'B')})"


BUILDER = Builder(60, memory)
