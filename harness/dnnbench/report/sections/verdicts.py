"""Every arm against the base: what the run says of each, case by case, in words and in a chart of
ratios.
"""

from ...protocol.keys import CaseKey
from ..builders import Builder
from ..cells import about_case, phase_cell
from ..evidence import HEADLINES, Evidence
from ..pictures import RatioChart, RatioPoint
from ..quantity import percent, ratio
from ..section import Cell, Column, Section, Table, table
from ..summary_rows import CellSummary
from ..words import sentences

LEAD = (
    "What each arm's interval says of it against the base, {base}: below 1 is faster. A verdict "
    "needs an interval that clears a dead zone of {theta}; where it does not, the run says "
    "UNDECIDED; where something speaks against the interval itself, it shows none and says what: "
    "not judged. In the charts the dead zone is shaded; a hollow point is UNDECIDED, one without a "
    "bar not judged. Bars far longer than the rest are cut."
)
NOTHING = "Nothing to compare the base with."


def verdicts(evidence: Evidence) -> Section | None:
    """None for a run without a cell."""
    if not evidence.rows:
        return None
    return Section(
        id="verdicts",
        title=f"Ratio to {evidence.base}",
        sentences=(evidence.nothing_decided,) if evidence.nothing_decided else (),
        tables=_tables(evidence),
        charts=_charts(evidence),
        lead=LEAD.format(base=evidence.base, theta=percent(evidence.measured.theta)),
        brief="times over the base's, paired in rounds",
    )


def _tables(evidence: Evidence) -> tuple[Table, ...]:
    """Rows for each case and purpose that was timed."""
    columns = (
        Column("workload", once=True),
        Column("purpose", once=True),
        Column("what the run says", prose=True),
    )
    rows = []
    for case in evidence.cases:
        where = Cell(f"{case.workload}, batch {case.batch_size}", about=about_case(case))
        for phase, cells in _timed(evidence, case).items():
            purpose = phase_cell(phase, HEADLINES.get(phase, phase))
            rows += [(where, purpose, Cell(text)) for text in _says(evidence, cells)]
    return (table(columns, rows),) if rows else ()


def _timed(evidence: Evidence, case: CaseKey) -> dict[str, list[CellSummary]]:
    """Training steps and inferences of a case; where neither was timed, whatever was."""
    rows = evidence.of_case(case)
    phases = dict.fromkeys(row.phase for row in rows if row.call_s is not None)
    chosen = [phase for phase in HEADLINES if phase in phases] or list(phases)
    timed: dict[str, list[CellSummary]] = {phase: [] for phase in chosen}
    for row in rows:
        if row.phase in timed:
            timed[row.phase].append(row)
    return timed


def _says(evidence: Evidence, cells: list[CellSummary]) -> list[str]:
    return sentences(cells, evidence.base, evidence.measured.theta) or [NOTHING]


def _charts(evidence: Evidence) -> tuple[RatioChart, ...]:
    """One for each case that has ratios besides the base's own."""
    charts = []
    for case in evidence.cases:
        points = tuple(_point(row) for row in evidence.of_case(case) if row.ratio is not None)
        if points:
            caption = f"{case.workload}, batch {case.batch_size}"
            charts.append(
                RatioChart(caption, points, evidence.measured.theta, about=about_case(case))
            )
    return tuple(charts)


def _point(row: CellSummary) -> RatioPoint:
    assert row.ratio is not None
    return RatioPoint(
        phase=row.phase,
        arm=row.arm,
        backend=row.backend,
        ratio=row.ratio,
        low=row.ratio_low,
        high=row.ratio_high,
        decided=row.verdict not in (None, "UNDECIDED"),
        label=f"{ratio(row.ratio)}×",
    )


BUILDER = Builder(20, verdicts)
