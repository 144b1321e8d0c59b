"""How many operators a call runs, the kernels of a step: a count that noise cannot touch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..execution.request import Request
from ..execution.side_by_side import Ratios, measure_run, run_of
from ..protocol.figures import FigureKind
from ..stats.sequential import LOOKS
from ..store.figure_rows import figure_rows
from ..store.run_rows import CellRow
from ..store.store import Store
from .bisection import Ends
from .ratio_figures import RatioFigure

COUNTED = "operators"
"""The figure by that name, as each backend announces it (docs/gate.md)."""
GENERATIONS = 2
"""At the ends and of a confirmation: a count that differs between two processes is none."""
VISITS_S = 1.0
"""Of a run, whose times nobody reads."""


class CountFigure(RatioFigure):
    """Operators of a call; the ends differ where the bad one runs more, in every process."""

    @property
    def theta(self) -> float:
        return 0.0

    def ends(self) -> Ends | str:
        sitting = self.sitting
        request = replace(self._counting(sitting.request, GENERATIONS), gate=None)
        with sitting.measuring() as store:
            run_id = measure_run(request, store, sitting.origin, sitting.report)
            run, counts = run_of(store, run_id), _counts(store, run_id)
        grown: list[tuple[float, CellRow]] = []
        for cell in run.cells:
            base = run.beside(cell, sitting.at_good(cell.key.arm))
            if base is None or base is cell or run.not_comparable(cell, base):
                continue
            own, other = counts.get(cell.cell_id, {}), counts.get(base.cell_id, {})
            if own and other and min(own.values()) > max(other.values()):
                grown.append((math.log(min(own.values()) / max(other.values())), cell))
        if not grown:
            return f"no cell runs more {COUNTED} at the bad end, in every process"
        ratio, worst = max(grown, key=lambda pair: pair[0])
        times = math.exp(ratio)
        return Ends(
            worst.key.arm, worst.case, worst.phase, (times, times, times),
            generations=GENERATIONS, generation_s=VISITS_S, runs=(run_id,),
        )  # fmt: skip

    def _counting(self, request: Request, generations: int) -> Request:
        settings = replace(
            request.settings, figures=True, generations=generations, max_time_s=VISITS_S
        )
        return replace(request, settings=settings)

    def measure(
        self, ends: Ends, environments: Sequence[str], generations: int, check: bool
    ) -> tuple[str, ...]:
        sitting = self.sitting
        narrow = sitting.subject(ends).request_for(environments, generations, check)
        with sitting.measuring() as store:
            request = self._counting(narrow, generations)
            return (measure_run(request, store, sitting.origin, sitting.report),)

    def generations_of(self, runs: Sequence[str]) -> int:
        return LOOKS[len(runs) - 1] if runs else 0

    def ratios(self, store: Store, ends: Ends, environments: Sequence[str], run: str) -> Ratios:
        recorded, counts = run_of(store, run), _counts(store, run)
        subject = self.sitting.subject(ends)
        cells = {cell.arm: cell for cell in recorded.cells if cell.phase == ends.phase}
        base = cells[subject.at(environments[0])]
        of: dict[str, dict[int, float]] = {}
        for environment in environments:
            cell = cells[subject.at(environment)]
            own = counts.get(cell.cell_id, {})
            reason = recorded.not_comparable(cell, base)
            if reason or not own:
                return Ratios(
                    reason=reason or f"its {COUNTED} were not counted", failed=environment
                )
            of[environment] = {number: math.log(count) for number, count in own.items()}
        return Ratios(of)


def _counts(store: Store, run: str) -> Mapping[str, Mapping[int, float]]:
    """By cell and generation, of those that were counted and are the same in every process."""
    counts: dict[str, dict[int, float]] = {}
    for row in figure_rows(store.figures(run)):
        is_exact = row.figure == COUNTED and row.figure_kind is FigureKind.DETERMINISTIC
        if is_exact and row.value:
            counts.setdefault(row.cell_id, {})[row.generation] = row.value
    return counts
