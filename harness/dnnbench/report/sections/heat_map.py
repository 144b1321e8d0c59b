"""The heat map: every workload and arm at a glance, as times over the fastest arm's."""

import math
from collections import Counter
from collections.abc import Sequence

from ...spec.phases import PURPOSES, Phase
from ...stats.estimates import Estimate
from ..builders import Builder
from ..cells import about_case
from ..evidence import HEADLINES, Evidence
from ..quantity import factor, interval
from ..section import Cell, Column, Section, Table, Tone, table
from ..standing import Standing
from ..summary_rows import CellSummary
from ..words import listed

DARKEST = 10.0
"""The ratio from which on the colour grows no stronger."""
LEAD = (
    "Time over the fastest arm's, paired in rounds; 1x is the fastest. A figure with a '?' is not "
    "certain: something speaks against it. Each leads to its cell."
)


def heat_map(evidence: Evidence) -> Section | None:
    """None where no two arms could be held against each other."""
    standings = evidence.standings
    of_all = {
        phase: [one for case in evidence.cases if (one := standings.of(case, phase)) is not None]
        for phase in PURPOSES
    }
    if not any(of_all.values()):
        return None
    return Section(
        id="heat",
        title="Ratio to the fastest",
        sentences=tuple(_sentence(phase, of_phase) for phase, of_phase in of_all.items()),
        tables=tuple(_table(evidence, phase, of_phase) for phase, of_phase in of_all.items()),
        lead=LEAD,
        brief="time over the fastest arm's, paired in rounds",
    )


def _sentence(phase: Phase, standings: Sequence[Standing]) -> str:
    """Who is first how often, and who is furthest behind."""
    name = HEADLINES[phase].capitalize()
    firsts = Counter(arm for one in standings for arm in one.first)
    if not firsts:
        return f"{name}: no arm can be called first"
    most = max(firsts.values())
    arms = listed([arm for arm, count in firsts.items() if count == most])
    often = f"{name}: {arms} first in {most} of {len(standings)}"
    worst, arm, one = max(_gaps(standings))
    return f"{often}; the widest gap is {factor(worst)}x, {arm} on {one}"


def _gaps(standings: Sequence[Standing]) -> list[tuple[float, str, str]]:
    return [
        (over.value, arm, str(one.case)) for one in standings for arm, over in one.to_leader.items()
    ]


def _table(evidence: Evidence, phase: Phase, standings: Sequence[Standing]) -> Table:
    arms = list(dict.fromkeys(row.arm for row in evidence.rows))
    columns = (Column("workload"), *(Column(arm, number=True) for arm in arms))
    rows = {(row.case, row.arm): row for row in evidence.rows if row.phase == phase}
    body = [
        (
            Cell(str(one.case), about=about_case(one.case)),
            *(_cell(one, rows.get((one.case, arm))) for arm in arms),
        )
        for one in standings
    ]
    return table(columns, body, title=HEADLINES[phase].capitalize())


def _cell(standing: Standing, row: CellSummary | None) -> Cell:
    """What an arm came to in one case."""
    if row is None:
        return Cell()
    if row.arm == standing.leader:
        return Cell("1x", tone=Tone.STRONG, value=1.0, shade=0.0, link=row.cell_id)
    over = standing.to_leader.get(row.arm)
    if over is None:
        why = row.verdict_reason or row.reason or row.status
        text = "not ranked" if row.call_s is not None else row.status
        return Cell(text, tone=Tone.QUIET, link=row.cell_id, remark=why)
    doubt = standing.unjudged.get(row.arm, "")
    return Cell(
        f"{factor(over.value)}x{' ?' if doubt else ''}",
        tone=Tone.STRONG if row.arm in standing.first else Tone.PLAIN,
        value=over.value,
        shade=_shade(over),
        link=row.cell_id,
        remark=doubt or interval(over.low, over.high),
    )


def _shade(over: Estimate) -> float:
    return min(max(math.log(over.value) / math.log(DARKEST), 0.0), 1.0)


BUILDER = Builder(15, heat_map)
