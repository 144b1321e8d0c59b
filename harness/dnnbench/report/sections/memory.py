"""Memory by part: what is held, what the spec foretells, and the peak of the process."""

from dataclasses import replace

from ..builders import Builder
from ..cells import arm_cell, case_cell, phase_cell, scaled_figure
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
        Cell() if row.phase == "infer" else _both(row.optimizer, spec.optimizer),
        scaled_figure(spec.gradients, "B"),
        scaled_figure(spec.activations, "B"),
        scaled_figure(spec.batch or None, "B"),  # earlier versions stored 0 for inferences
        scaled_figure(row.peak_rss, "B"),
        scaled_figure(row.peak_device, "B"),
    )
    where = case_cell(row.workload, row.batch_size), phase_cell(row.phase)
    return (*where, arm_cell(row.arm, row.backend), *figures)


def _both(held: int, by_spec: int) -> Cell:
    alone = scaled_figure(held, "B")
    if held == by_spec:
        return alone
    return replace(alone, text=f"{alone.text} (spec {scaled(by_spec, 'B')})")


BUILDER = Builder(80, memory)
