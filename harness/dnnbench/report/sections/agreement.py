"""Agreement with the reference: the worst tensor of each arm, workload and element type, all arms
beside all workloads, and where the error of each arm grows.
"""

from collections.abc import Sequence

from ...agreement.status import Status
from ...execution.agreement_rows import AgreementRow, worst_rows
from ..agreement_words import agreement_sentence, times
from ..builders import Builder
from ..cells import arm_cell, check_cell, figure
from ..error_growth import Growth, growths, kinds_of, stage
from ..evidence import Evidence
from ..quantity import digits
from ..section import Cell, Column, Facet, Section, Table, Tone, table

COLUMNS = (
    Column("workload", once=True),
    Column("arm"),
    Column("type"),
    Column("agrees"),
    Column("error / allowance", number=True),
    Column("of", spare=2),
    Column("tensor", spare=3),
    Column("why", prose=True, spare=1),
)
LEAD = (
    "The worst tensor of each arm against the NumPy reference in float64: its error over what "
    "honest rounding explains. Above 1 the arm differs. One that differs, could not run here, or "
    "could not be compared is still timed, and never ranked."
)


def agreement(evidence: Evidence) -> Section | None:
    """None for a run that neither timed nor checked anything."""
    if not evidence.cases and not evidence.checks:
        return None
    rows = worst_rows(evidence.checks)
    every = growths(evidence.checks)
    return Section(
        id="agreement",
        title="Agreement",
        sentences=(agreement_sentence(evidence.checks), *_grows(every)),
        tables=(*_matrix(evidence, rows), *_worst(evidence, rows), *_stages(evidence, every)),
        doubts=tuple(_graphs(evidence)),
        lead=LEAD,
        brief="the worst tensor, error over allowance",
    )


def _grows(every: Sequence[Growth]) -> list[str]:
    """Of the arm that comes nearest to its allowance."""
    if not every:
        return []
    nearest = max(every, key=lambda growth: max(growth.by_kind.values()))
    return [nearest.sentence] if nearest.sentence else []


def _matrix(evidence: Evidence, rows: Sequence[AgreementRow]) -> list[Table]:
    """Every workload beside every arm, the worst of all types; of one workload the rows say it."""
    workloads = list(dict.fromkeys(row.workload for row in rows))
    if len(workloads) < 2:
        return []
    worst: dict[tuple[str, str], AgreementRow] = {}
    for row in rows:
        key = row.workload, row.arm
        worst[key] = max(worst.get(key, row), row, key=lambda one: one.badness)
    arms = list(dict.fromkeys(row.arm for row in rows))
    columns = (Column("workload"), *(Column(arm, number=True) for arm in arms))
    body = [
        (
            Cell(workload, about={Facet.WORKLOAD: workload}),
            *(_in_matrix(worst.get((workload, arm))) for arm in arms),
        )
        for workload in workloads
    ]
    return [table(columns, body, title="Error over allowance, the worst of each arm")]


def _in_matrix(row: AgreementRow | None) -> Cell:
    """A figure where it agrees, else what became of the check."""
    if row is None:
        return Cell()
    ratio = row.agreement.ratio
    if row.status is not Status.AGREES:
        return check_cell(row.status)
    return Cell(times(row), value=ratio, shade=min(max(ratio, 0.0), 1.0))


def _worst(evidence: Evidence, rows: Sequence[AgreementRow]) -> list[Table]:
    return [table(COLUMNS, [_row(evidence, row) for row in rows])] if rows else []


def _stages(evidence: Evidence, every: Sequence[Growth]) -> list[Table]:
    """Where the error of each arm grows."""
    kinds = kinds_of(every)
    if len(kinds) < 2:
        return []
    columns = (Column("arm"), *(Column(stage(kind), number=True) for kind in kinds))
    body = [
        (
            arm_cell(growth.arm, evidence.backend_of(growth.arm)),
            *(figure(growth.by_kind.get(kind), digits) for kind in kinds),
        )
        for growth in every
    ]
    title = "Where the error grows: error over allowance, the worst of all workloads"
    return [table(columns, body, title=title, folded=True)]


def _row(evidence: Evidence, row: AgreementRow) -> tuple[Cell, ...]:
    agreement = row.agreement
    of = f"{agreement.kind if agreement.tensor else ''} {agreement.optimizer}".strip()
    why = "" if row.status == "agrees" else agreement.reason
    return (
        Cell(row.workload, about={Facet.WORKLOAD: row.workload}),
        arm_cell(row.arm, evidence.backend_of(row.arm)),
        Cell(row.dtype, about={Facet.TYPE: row.dtype}),
        check_cell(row.status),
        Cell(times(row)),
        Cell(of),
        Cell(agreement.tensor),
        Cell(why, tone=Tone.QUIET),
    )


def _graphs(evidence: Evidence) -> list[str]:
    """How whole the graphs are that torch.compile made, where it was used."""
    described = {key: facts.description for key, facts in evidence.programs.items()}
    return [
        f"{key}: {program['compilations']} graphs compiled, {program['graph_breaks']} graph breaks"
        for key, program in described.items()
        if program.get("graph_breaks") is not None and program["compilations"]
    ]


BUILDER = Builder(90, agreement)
