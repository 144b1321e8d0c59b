"""Layers: which part of the operations, parameters and activations each node of a network has, and
of the time, where a run looked into its calls.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from ...protocol.keys import CaseKey
from ...spec.costs import NodeCost, node_costs
from ...spec.phases import Phase
from ...spec.workload import Workload
from ..builders import Builder
from ..cells import about_case, arm_cell, phase_cell, scaled_figure
from ..evidence import HEADLINES, Evidence
from ..layer_times import Looked, looked_into, of_case
from ..quantity import percent
from ..section import Cell, Column, Facet, Section, Table, Tone, table
from ..words import listed

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

LOOKED = (
    "Time by layer is of calls that the frameworks' own profilers looked into after the timed "
    "visits: a layer's gradients are with it, and looking makes small layers look longer."
)
NOTE = "Shares of the time of all layers; outside of them: the loss, the update, the framework."


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
    looked = looked_into(evidence.measured)
    if not by_case and not looked:
        return None
    ops = {workload.name: _ops(rows) for workload, rows in by_case}
    return Section(
        id="layers",
        title="Layers",
        sentences=(
            *(_heaviest(workload.name, rows) for workload, rows in by_case),
            *_longest(looked),
        ),
        tables=(
            *(_times(looked, case, phase, ops) for case, phase in _places(looked)),
            *_traces(looked),
            *(_table(workload.name, rows) for workload, rows in by_case),
        ),
        lead=f"{LEAD} {LOOKED}" if looked else LEAD,
        brief="shares by the specification",
    )


def _ops(rows: Iterable["Layer"]) -> dict[str, str]:
    """What each node computes, by its name."""
    return {row.name: row.op for row in rows}


def _places(looked: Sequence[Looked]) -> list[tuple[CaseKey, Phase]]:
    """Cases and phases of which any arm has a time by node."""
    return list(dict.fromkeys((one.case, one.phase) for one in looked if one.nodes_s))


def _longest(looked: Sequence[Looked]) -> list[str]:
    """The node that takes most of each arm's call, a sentence a case and phase."""
    sentences = []
    for case, phase in _places(looked):
        arms = of_case(looked, case, phase)
        nodes = [(next(iter(one.nodes_s)), one) for one in arms]
        takes = [f"{node} {percent(one.share(node) or 0.0)} with {one.arm}" for node, one in nodes]
        sentences.append(f"{case}, {HEADLINES[phase]}: of the time of all layers {listed(takes)}")
    return sentences


def _times(
    looked: Sequence[Looked], case: CaseKey, phase: Phase, ops: Mapping[str, Mapping[str, str]]
) -> Table:
    """Shares of each arm beside each other, what takes longest with any arm first."""
    arms = of_case(looked, case, phase)
    nodes = {node for one in arms for node in one.nodes_s}
    most = {node: max(one.share(node) or 0.0 for one in arms) for node in nodes}
    ordered = sorted(nodes, key=lambda node: (-most[node], node))
    columns = (Column("layer"), Column("op"), *(Column(one.arm, number=True) for one in arms))
    of_workload = ops.get(case.workload, {})
    body = [
        (
            Cell(node, about=about_case(case)),
            Cell(of_workload.get(node, "")),
            *(_share_cell(one.share(node)) for one in arms),
        )
        for node in ordered[:MOST_NODES]
    ]
    outside = (Cell("outside of layers", tone=Tone.QUIET, about=about_case(case)), Cell())
    body.append((*outside, *(_share_cell(one.outside) for one in arms)))
    left = len(ordered) - MOST_NODES
    note = f"{left} layers that take less are left out. {NOTE}" if left > 0 else NOTE
    return table(columns, body, title=f"Time by layer: {case}, {HEADLINES[phase]}", note=note)


def _share_cell(share: float | None) -> Cell:
    return Cell() if share is None else Cell(percent(share), value=share)


def _traces(looked: Sequence[Looked]) -> list[Table]:
    """Where the trace of each cell is, and why there is none, or no time by layer."""
    if not looked:
        return []
    columns = (
        Column("workload", once=True),
        Column("phase"),
        Column("arm"),
        Column("trace", prose=True),
        Column("opens in", prose=True, spare=2),
        Column("time by layer", prose=True, spare=1),
    )
    body = [
        (
            Cell(str(one.case), about=about_case(one.case)),
            phase_cell(one.phase),
            arm_cell(one.arm, one.backend),
            Cell(one.file or f"none: {one.facts.no_trace}", file=one.file),
            Cell(one.facts.opens),
            Cell(f"none: {one.facts.no_nodes}" if one.facts.no_nodes else "above"),
        )
        for one in looked
    ]
    return [table(columns, body, title="Traces, beside the store", folded=False)]


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
