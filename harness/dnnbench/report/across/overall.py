"""All workloads together: how much faster a side is on these, how they differ, and what that says
of others.  Three numbers, each with the error that is its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...protocol.keys import CaseKey
from ...spec.families import family
from ...stats.estimates import Estimate
from ...stats.over_families import among_families
from .by import By
from .shared import Shared
from .sides import Same, Side
from .units import Paired, Units, units_of


@dataclass(frozen=True)
class Overall:
    """One purpose on one side against the first; everything is the first's seconds over its."""

    phase: str
    faster: Estimate
    """The geometric mean over the cases, of each the mean over its arms."""
    runs: int
    """Of the side that has fewer: the unit of the interval is the run from two on, else the
    generation.
    """
    paired: bool
    """Whether both sides were visited in the same rounds."""
    by_case: Mapping[CaseKey, float]
    """Log ratios."""
    by_arm: Mapping[str, Estimate]
    families: Mapping[str, tuple[CaseKey, ...]]
    others: Estimate
    """The same mean with the error of other workloads, which has no interval for few families."""
    doubted: int
    """Cells left out, since something speaks against their times."""
    sound: bool
    """Whether any was left; else nothing has an interval."""

    @property
    def within_runs_only(self) -> bool:
        """Whether the interval lacks what makes one run differ from another."""
        return not self.paired and self.runs < 2


def overall(
    sides: Sequence[Side], by: By, cells: Sequence[Shared], place: int, phase: str
) -> Overall | None:
    """None where the side shares no cell of the phase with the first."""
    shared = [cell for cell in cells if cell.same.phase == phase and cell.has(0, place)]
    if not shared:
        return None
    sound = [cell for cell in shared if not (cell.doubts[0] or cell.doubts[place])]
    units = units_of(sides[0], sides[place], by, [cell.same for cell in sound or shared])
    cases = _by_case(units.sames)
    logs = {case: math.log(units.faster([sames]).value) for case, sames in cases.items()}
    # Sizes of one network speed up alike, so a family counts once among other workloads.
    families = _families(logs)
    others = among_families({name: [logs[c] for c in of_it] for name, of_it in families.items()})
    return Overall(
        phase=phase,
        faster=_judged(units.faster(list(cases.values())), bool(sound)),
        runs=units.runs,
        paired=isinstance(units, Paired),
        by_case=logs,
        by_arm=_by_arm(units, bool(sound)),
        families=families,
        others=_judged(others, bool(sound)),
        doubted=len(shared) - len(sound),
        sound=bool(sound),
    )


def _judged(estimate: Estimate, sound: bool) -> Estimate:
    """Without its interval where something speaks against every cell."""
    return estimate if sound else replace(estimate, low=math.nan, high=math.nan)


def _by_case(sames: Sequence[Same]) -> dict[CaseKey, list[Same]]:
    cases: dict[CaseKey, list[Same]] = {}
    for same in sames:
        cases.setdefault(CaseKey(same.workload, same.batch_size), []).append(same)
    return cases


def _by_arm(units: Units, sound: bool) -> dict[str, Estimate]:
    """The geometric mean of each arm over its cases."""
    arms: dict[str, list[list[Same]]] = {}
    for same in units.sames:
        arms.setdefault(same.label, []).append([same])
    return {arm: _judged(units.faster(cases), sound) for arm, cases in arms.items()}


def _families(cases: Mapping[CaseKey, float]) -> dict[str, tuple[CaseKey, ...]]:
    families: dict[str, tuple[CaseKey, ...]] = {}
    for case in cases:
        name = family(case.workload)
        families[name] = (*families.get(name, ()), case)
    return families
