"""The base measured twice: its ratio to itself must cover 1."""

from ...execution.twins import Twin, twin_doubt
from ...wording import counted
from ..builders import Builder
from ..cells import case_cell, estimate_cell, phase_cell
from ..evidence import Evidence
from ..quantity import ratio
from ..section import Cell, Column, Section, Tone, table
from ..words import NOT_JUDGED

COLUMNS = (
    Column("workload", once=True),
    Column("phase"),
    Column("arm"),
    Column("ratio", number=True),
    Column("covers 1"),
)


def twins(evidence: Evidence) -> Section | None:
    """None where the run measured the base once."""
    measured = evidence.twins
    if not measured:
        return None
    doubt = twin_doubt(measured)
    return Section(
        id="twins",
        title="Twin",
        sentences=(_outcome(measured),),
        tables=(table(COLUMNS, [_row(twin) for twin in measured]),),
        doubts=(doubt,) if doubt else (),
        lead="The base over itself, which must cover 1; all intervals together hold with 95 %.",
        brief="the base over itself; all intervals together 95 %",
        data={"twins": [twin.to_json() for twin in measured]},
    )


def _outcome(measured: list[Twin]) -> str:
    covering = sum(twin.covers is True for twin in measured)
    return f"The base over itself covers 1 in {covering} of {counted(len(measured), 'comparison')}"


def _row(twin: Twin) -> tuple[Cell, ...]:
    unknown = NOT_JUDGED if twin.doubt else "one generation gives no interval"
    covers = {True: "yes", False: "NO", None: unknown}[twin.covers]
    return (
        case_cell(twin.workload, twin.batch_size),
        phase_cell(twin.phase),
        Cell(twin.arm),
        estimate_cell(twin.ratio, ratio),
        Cell(covers, tone=Tone.BAD if twin.covers is False else Tone.PLAIN),
    )


BUILDER = Builder(95, twins)
