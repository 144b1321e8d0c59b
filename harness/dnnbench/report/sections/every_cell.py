"""Every cell: its time, ratio and verdict, what they rest on, and why one has none."""

from dataclasses import replace

from ...protocol.keys import CaseKey
from ...spec.phases import PIECES
from ...wording import counted, have
from ..builders import Builder
from ..cells import about_case, arm_cell, check_cell, figure, scaled_figure, verdict_cell
from ..evidence import Evidence, by_headline
from ..quantity import MISSING, interval, milliseconds, percent, ratio, seconds, throughput
from ..section import Against, Cell, Column, Facet, Section, Table, Tone
from ..summary_rows import CellSummary
from ..words import unsteady, why_not_clear, word_of

RATE = "examples/s"
COLUMNS = (
    Column("phase", once=True),
    Column("arm"),
    Column("ms a call", number=True, spare_interval=8),
    Column("ratio to base", number=True, spare=10, spare_interval=8),
    Column("verdict"),
    Column(RATE, number=True, spare=7),
    Column("agrees", spare=9),
    Column("FLOP/s", number=True, spare=6),
    Column("generations", number=True, spare=2),
    Column("visits", number=True, spare=3),
    Column("dropped", number=True, spare=4),
    Column("could see", number=True, spare=5),
    Column("why", prose=True, spare=1),
)
LEAD = (
    "Training step and inference first. 'Could see' is the smallest difference that the run would "
    "have found four times in five."
)


def every_cell(evidence: Evidence) -> Section | None:
    """None for a run without a cell."""
    if not evidence.cases:
        return None
    return Section(
        id="cells",
        title="Every cell",
        sentences=tuple(_counted(evidence)),
        tables=tuple(_table(evidence, case) for case in evidence.cases),
        doubts=tuple(_doubts(evidence)),
        lead=LEAD,
        brief=f"ms a call; base {evidence.base}",
    )


def _counted(evidence: Evidence) -> list[str]:
    timed = sum(row.call_s is not None for row in evidence.rows)
    cells = f"{timed} of {counted(len(evidence.rows), 'cell')} {have(timed)} a time"
    if evidence.noop_call_s is None:
        return [cells]
    noop = seconds(evidence.noop_call_s)
    return [cells, f"no-op program (it does nothing): {noop} a call, part of every time"]


def _table(evidence: Evidence, case: CaseKey) -> Table:
    rows = evidence.of_case(case)
    phases = by_headline(row.phase for row in rows)
    groups: dict[str, list[tuple[Cell, ...]]] = {phase: [] for phase in phases}
    for row in rows:
        groups[row.phase].append(_row(evidence, row))
    heading = evidence.unit_of(case.workload).a_second
    columns = (replace(one, heading=heading) if one.heading == RATE else one for one in COLUMNS)
    return Table(
        tuple(columns),
        tuple(map(tuple, groups.values())),
        title=f"{case.workload}, batch {case.batch_size}",
    )


def _row(evidence: Evidence, row: CellSummary) -> tuple[Cell, ...]:
    where = _named(row), arm_cell(row.arm, row.backend)
    if row.call_s is None:
        tone = Tone.BAD if row.status == "failed" else Tone.QUIET
        nothing = (Cell(),) * (len(COLUMNS) - 4)
        return (*where, Cell(row.status, tone=tone), *nothing, Cell(row.reason or ""))
    is_base = row.arm == evidence.base
    unit = evidence.unit_of(row.workload)
    return (
        *where,
        Cell(
            ("~" if row.no_steady_state else "") + milliseconds(row.call_s),
            interval(row.call_s_low, row.call_s_high, milliseconds),
            value=row.call_s,
        ),
        _live(Cell("base", tone=Tone.QUIET) if is_base else _ratio(row), row, Against.RATIO),
        _live(verdict_cell(word_of(row), row.verdict_reason), row, Against.VERDICT),
        figure(row.batch_size * unit.each / row.call_s, throughput),
        check_cell(evidence.agrees(row.arm, row.workload)),
        _rate(evidence, row, row.call_s),
        figure(row.generations, str),
        figure(row.visits, str),
        figure(row.rounds_dropped, str),
        figure(row.smallest_difference, percent),
        _live(Cell(_why(evidence, row), tone=Tone.QUIET), row, Against.REASON),
    )


def _named(row: CellSummary) -> Cell:
    """Its phase, with all that the row is about; it is where others lead to."""
    about = {**about_case(row.case), Facet.PHASE: row.phase, Facet.TYPE: row.dtype}
    return Cell(row.phase, about=about, anchor=row.cell_id, link=row.cell_id)


def _live(cell: Cell, row: CellSummary, shows: Against) -> Cell:
    """A cell that shows something else for another base."""
    return replace(cell, of=row.cell_id, shows=shows)


def _ratio(row: CellSummary) -> Cell:
    return replace(figure(row.ratio, ratio), interval=interval(row.ratio_low, row.ratio_high))


def _rate(evidence: Evidence, row: CellSummary, call_s: float) -> Cell:
    """Operations of the spec over measured time."""
    if (row.workload, row.batch_size, row.arm, row.phase) in evidence.no_rates:
        return Cell("no figure")
    return Cell(MISSING) if row.flops is None else scaled_figure(row.flops / call_s, "")


def _why(evidence: Evidence, row: CellSummary) -> str:
    """Why a cell that was timed has no clear verdict, or what speaks against its time."""
    why = row.verdict_reason or evidence.time_doubts.get(row.cell_id, "")
    return "; ".join(part for part in (why, unsteady(row)) if part)


def _doubts(evidence: Evidence) -> list[str]:
    """Of each case, named where there are several."""
    doubts = []
    for case in evidence.cases:
        rows = evidence.of_case(case)
        of_case = [*_reasons(evidence, rows), *_unsteady(rows)]
        where = f"{case} " if len(evidence.cases) > 1 else ""
        doubts += [f"{where}{text}" for text in of_case] + evidence.late_faults(case)
    return doubts


def _reasons(evidence: Evidence, rows: list[CellSummary]) -> list[str]:
    """Why cells have no clear verdict, no time, or a time to doubt; each reason once, with the
    cells it holds for.
    """
    phases_by_reason: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if _is_unclear(row):
            phases_by_reason.setdefault((row.arm, why_not_clear(row)), []).append(row.phase)
    verdicts = [reason for _, reason in phases_by_reason]
    for row in rows:
        doubt = evidence.time_doubts.get(row.cell_id)
        if doubt and not any(doubt in reason for reason in verdicts):
            key = row.arm, f"no interval of its time: {doubt}"
            phases_by_reason.setdefault(key, []).append(row.phase)
    return [
        f"{arm} ({', '.join(phases)}): {reason}"
        for (arm, reason), phases in phases_by_reason.items()
    ]


def _is_unclear(row: CellSummary) -> bool:
    """That a piece of a step cannot run alone is no news."""
    foreseen = row.phase in PIECES and row.status == "unsupported"
    return (row.call_s is None or bool(row.verdict_reason)) and not foreseen


def _unsteady(rows: list[CellSummary]) -> list[str]:
    """What a '~' before a time stands for."""
    unsteady_rows = [row for row in rows if unsteady(row)]
    return [f"~ {row.arm} ({row.phase}): {unsteady(row)} generations" for row in unsteady_rows]


BUILDER = Builder(85, every_cell)
