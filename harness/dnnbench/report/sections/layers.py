"""Layers: which part of the operations, parameters and activations each node of a network has."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from ...spec.costs import NodeCost, node_costs
from ...spec.workload import Workload
from ..builders import Builder
from ..cells import scaled_figure
from ..evidence import Evidence
from ..quantity import percent
from ..section import Cell, Column, Facet, Section, Table, table

MOST_NODES = 12
"""Nodes of a network that are named; of more, the rest stands together in one row."""
COLUMNS = (
    Column("layer"),
    Column("op"),
    Column("operations", number=True, spare=1),
    Column("of all", number=True),
    Column("parameters", number=True),
    Column("of all", number=True),
    Column("activations", number=True),
    Column("of all", number=True),
)
LEAD = (
    "From the network's specification, nothing of it measured: operations of a forward and a "
    "backward pass, 2 a multiply-add; activations as a training step keeps them. Heaviest first."
)


@dataclass(frozen=True)
class Layer:
    """A node, or several together."""

    name: str
    op: str
    flops: int
    parameters: int
    activation_bytes: int


def layers(evidence: Evidence) -> Section | None:
    """None where the run keeps no specification that this version reads."""
    by_case = [(workload, layers_of(workload, batch)) for workload, batch in _workloads(evidence)]
    if not by_case:
        return None
    return Section(
        id="layers",
        title="Layers",
        sentences=tuple(_heaviest(workload.name, rows) for workload, rows in by_case),
        tables=tuple(_table(workload.name, rows) for workload, rows in by_case),
        lead=LEAD,
        brief="shares by the specification",
    )


def _workloads(evidence: Evidence) -> Iterator[tuple[Workload, int]]:
    """Those that were timed, each at its first batch size."""
    batches: dict[str, int] = {}
    for case in evidence.cases:
        batches.setdefault(case.workload, case.batch_size)
    for stored in evidence.run.settings.get("workloads", ()):
        try:
            workload = Workload.model_validate(stored)
        except ValidationError:  # of a later version, or of a store that somebody else wrote
            continue
        if workload.name in batches:
            yield workload, batches[workload.name]


def layers_of(workload: Workload, batch_size: int) -> list[Layer]:
    """Every node, those with most operations first."""
    model = workload.model
    rows = [_layer(cost, model.node(cost.name).op.kind) for cost in node_costs(model, batch_size)]
    return sorted(rows, key=lambda row: (row.flops, row.activation_bytes), reverse=True)


def _layer(cost: NodeCost, op: str) -> Layer:
    flops = cost.forward_flops + cost.backward_flops
    return Layer(cost.name, op, flops, cost.parameters, cost.output_bytes)


def _together(rows: list[Layer], name: str) -> Layer:
    return Layer(
        name,
        "",
        sum(row.flops for row in rows),
        sum(row.parameters for row in rows),
        sum(row.activation_bytes for row in rows),
    )


def _heaviest(workload: str, rows: list[Layer]) -> str:
    whole = _together(rows, "")
    heaviest = rows[0]
    largest = max(rows, key=lambda row: row.parameters)
    computes = f"{heaviest.name} does {percent(_share(heaviest.flops, whole.flops))}"
    holds = f"{largest.name} holds {percent(_share(largest.parameters, whole.parameters))}"
    return f"{workload}: {computes} of the operations, {holds} of the parameters"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _table(workload: str, rows: list[Layer]) -> Table:
    whole = _together(rows, "")
    shown, rest = rows[:MOST_NODES], rows[MOST_NODES:]
    shown += [_together(rest, f"{len(rest)} others")] if rest else []
    return table(
        COLUMNS, [_row(workload, row, whole) for row in shown], title=workload, folded=True
    )


def _row(workload: str, row: Layer, whole: Layer) -> tuple[Cell, ...]:
    parts = (
        (row.flops, whole.flops, "FLOP"),
        (row.parameters, whole.parameters, ""),
        (row.activation_bytes, whole.activation_bytes, "B"),
    )
    cells = [Cell(row.name, about={Facet.WORKLOAD: workload}), Cell(row.op)]
    for value, of_all, unit in parts:
        share = _share(value, of_all)
        cells += [scaled_figure(value, unit), Cell(percent(share), value=share)]
    return tuple(cells)


BUILDER = Builder(70, layers)
