"""Many workloads in a few lines: each arm's geometric mean against the base, its range and its
worst.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import exp, isnan
from typing import Any

import numpy as np

from ..spec.phases import PURPOSES, Phase
from ..stats.estimates import Estimate
from ..stats.geometric import (
    ByGeneration,
    effects_by_generation,
    geometric_mean,
    mean_by_generation,
)
from ..stats.verdict import place
from ..wording import counted
from .answer_words import case_names, ratio_words
from .cells import VERDICT_TONES, arm_cell
from .evidence import HEADLINES, Evidence
from .quantity import MISSING, factor
from .section import Cell, Column, Table, Tone, table
from .summary_rows import CellSummary
from .words import NOT_JUDGED, word_of

MOST_ARMS = 8
WORST = 3
COLUMNS = (
    Column("arm"),
    Column("geometric mean", prose=True, least=13),
    Column("times as fast: worst three ... best", prose=True, least=24, spare=1),
)


@dataclass(frozen=True)
class OverWorkloads:
    """An arm in one phase, over all workloads in which it was judged."""

    arm: str
    phase: Phase
    mean: Estimate
    """Its time over the base's."""
    ratios: dict[str, float]
    """The same by workload, the slowest first."""


def over_workloads(evidence: Evidence) -> list[OverWorkloads]:
    """Of every phase that people choose by: each arm but the base, the fastest first."""
    return [one for phase in PURPOSES for one in _of_phase(evidence, phase)]


def _of_phase(evidence: Evidence, phase: Phase) -> list[OverWorkloads]:
    judged = [row for row in evidence.rows if row.phase == phase and _is_judged(row)]
    arms = dict.fromkeys(row.arm for row in judged)
    every = [_over(evidence, phase, [row for row in judged if row.arm == arm]) for arm in arms]
    return sorted(every, key=lambda one: (isnan(one.mean.value), one.mean.value))


def _is_judged(row: CellSummary) -> bool:
    """A ratio with an interval; of a single generation, a ratio."""
    known_by_one = row.generations == 1 and row.ratio is not None
    return row.verdict is not None and (word_of(row) != NOT_JUDGED or known_by_one)


def _over(evidence: Evidence, phase: Phase, rows: Sequence[CellSummary]) -> OverWorkloads:
    """rows: of one arm, one a case."""
    members = _members(evidence, rows)
    means = {name: exp(float(np.mean(list(one.values())))) for name, one in members.items() if one}
    ratios = dict(sorted(means.items(), key=lambda item: -item[1]))
    return OverWorkloads(rows[0].arm, phase, geometric_mean(list(members.values())), ratios)


def _members(evidence: Evidence, rows: Sequence[CellSummary]) -> dict[str, ByGeneration]:
    """D_g by workload, of several batch sizes their mean; by case where there is one workload."""
    run = evidence.measured
    names = case_names([row.case for row in rows])
    alone = len({case.workload for case in evidence.cases}) == 1
    sizes: dict[str, list[ByGeneration]] = {}
    for row in rows:
        name = names[row.case] if alone else row.workload
        pairs = run.against_base(run.cell(row.cell_id))
        sizes.setdefault(name, []).append(effects_by_generation(pairs))
    return {name: mean_by_generation(of_one) for name, of_one in sizes.items()}


def summary_tables(evidence: Evidence, rows: Sequence[OverWorkloads]) -> list[Table]:
    """A table a phase, a row an arm; of many arms the fastest, and all of them folded."""
    of_phases = [[one for one in rows if one.phase == phase] for phase in PURPOSES]
    present = [of_phase for of_phase in of_phases if of_phase]
    short = [_table(evidence, of_phase[:MOST_ARMS], len(of_phase)) for of_phase in present]
    long = [of_phase for of_phase in present if len(of_phase) > MOST_ARMS]
    whole = [_table(evidence, of_phase, len(of_phase)) for of_phase in long]
    return [*short, *(replace(one, folded=True) for one in whole)]


def _table(evidence: Evidence, rows: Sequence[OverWorkloads], arms: int) -> Table:
    """arms: how many there are."""
    name = HEADLINES[rows[0].phase].capitalize()
    over = counted(_count(evidence), _noun(evidence))
    title = f"{name} over {over} against {evidence.base}, within-run error only"
    cut = f": the fastest {len(rows)} of {arms} arms" if len(rows) < arms else ""
    return table(COLUMNS, [_row(evidence, one) for one in rows], title=title + cut)


def _row(evidence: Evidence, one: OverWorkloads) -> list[Cell]:
    word, words = _words(evidence, one.mean)
    speeds = [f"{name} {factor(1 / ratio)}x" for name, ratio in one.ratios.items()]
    worst, best = speeds[:WORST], speeds[WORST:][-1:]
    ends = ", ".join(worst) + "".join(f" ... {speed}" for speed in best)
    missing = _count(evidence) - len(one.ratios)
    judged = f" (of {len(one.ratios)})" if missing else ""
    return [
        arm_cell(one.arm, evidence.backend_of(one.arm)),
        Cell(words + judged, tone=VERDICT_TONES.get(word, Tone.QUIET)),
        Cell(ends),
    ]


def _words(evidence: Evidence, mean: Estimate) -> tuple[str, str]:
    """(verdict, the mean in words) as of a single cell, with its interval."""
    if isnan(mean.value):
        return NOT_JUDGED, MISSING
    if isnan(mean.low):
        return NOT_JUDGED, ratio_words(NOT_JUDGED, mean.value, None, None)
    word = str(place(mean, evidence.measured.theta).verdict)
    words = ratio_words(word, mean.value, mean.low, mean.high)
    ends = (mean.low, mean.high) if word == "SLOWER" else (1 / mean.high, 1 / mean.low)
    sure = word in ("FASTER", "SLOWER")
    return word, f"{words} [{factor(ends[0])}, {factor(ends[1])}]" if sure else words


def _count(evidence: Evidence) -> int:
    return (
        len({case.workload for case in evidence.cases})
        if _several(evidence)
        else len(evidence.cases)
    )


def _noun(evidence: Evidence) -> str:
    return "workload" if _several(evidence) else "batch size"


def _several(evidence: Evidence) -> bool:
    return len({case.workload for case in evidence.cases}) > 1


def to_json(one: OverWorkloads) -> dict[str, Any]:
    """For a script."""
    return {"arm": one.arm, "phase": one.phase, **asdict(one.mean), "ratios": one.ratios}
