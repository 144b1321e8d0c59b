"""Agreement with the reference: the worst tensor of each arm, workload and element type."""

from ...execution.agreement_rows import AgreementRow, worst_rows
from ..agreement_words import agreement_sentence, times
from ..builders import Builder
from ..cells import arm_cell, check_cell
from ..evidence import Evidence
from ..section import Cell, Column, Facet, Section, Tone, table

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
    return Section(
        id="agreement",
        title="Agreement",
        sentences=(agreement_sentence(evidence.checks),),
        tables=(table(COLUMNS, [_row(evidence, row) for row in rows]),) if rows else (),
        doubts=tuple(_graphs(evidence)),
        lead=LEAD,
        brief="the worst tensor, error over allowance",
    )


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
