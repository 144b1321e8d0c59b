"""Figures whose generations give ratios: the time of a call, and its peak of memory."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..errors import NothingMeasured
from ..execution.gate import run_gate
from ..execution.gate_cells import Gate, GateCell
from ..execution.measured import Measured
from ..execution.request import make_plan
from ..execution.run_cells import refuse_nothing
from ..execution.side_by_side import (
    Ratios,
    measure_run,
    measure_together,
    memory_ratios,
    peak_ratio,
    run_of,
    time_ratios,
)
from ..protocol.keys import CellKey
from ..stats.estimates import exp_interval, mean_interval
from ..stats.gate import FAMILY_ALPHA, holm, slower_p
from ..stats.sequential import LOOKS, Side, next_look, place_between, share_of_gap
from ..stats.split import FEWEST
from ..store.store import Store
from ..wording import counted
from .bisection import Confirmed, Ends
from .figure import Figure
from .walk import SKIPPED, Visited


class RatioFigure(Figure):
    """Placed between the ends by their ratios, look after look."""

    @abstractmethod
    def measure(
        self, ends: Ends, environments: Sequence[str], generations: int, check: bool
    ) -> tuple[str, ...]:
        """Measure so many fresh generations; the ids of the runs."""

    @property
    @abstractmethod
    def theta(self) -> float:
        """The share by which a revision must differ from the one before it, at least."""

    @abstractmethod
    def generations_of(self, runs: Sequence[str]) -> int:
        """How many generations the runs of a candidate were to take."""

    @abstractmethod
    def ratios(self, store: Store, ends: Ends, environments: Sequence[str], run: str) -> Ratios:
        """Of the generations of one run, each environment to the first."""

    def visit(
        self, ends: Ends, environment: str, alpha: float, before: Sequence[str]
    ) -> Iterator[Visited]:
        together, runs = (*self.sitting.environments, environment), tuple(before)
        visited = self._look(ends, together, runs, alpha)
        if before:
            yield visited
        taken = self.generations_of(runs)
        while visited.side == Side.UNDECIDED and (look := next_look(taken)) is not None:
            is_checked = self.sitting.request.settings.check and not runs
            runs += self.measure(ends, together, look - taken, is_checked)
            taken = look
            visited = self._look(ends, together, runs, alpha)
            yield visited

    def _look(
        self, ends: Ends, together: Sequence[str], runs: tuple[str, ...], alpha: float
    ) -> Visited:
        good, bad, candidate = together
        ratios = self._all_ratios(ends, together, runs)
        if ratios.failed == candidate:
            return Visited(0, SKIPPED, runs=runs, reason=ratios.reason)
        if ratios.failed:
            raise NothingMeasured(
                f"an end of the bisection can no longer be measured: {ratios.reason}; the same "
                "command goes on once it can"
            )
        to_good, to_bad = ratios.between(candidate, good), ratios.between(candidate, bad)
        placed = place_between(to_good, to_bad, alpha)
        position = None if math.isnan(placed.position) else placed.position
        reason = ratios.reason if placed.side is Side.UNDECIDED else ""  # else others decided
        return Visited(0, placed.side, alpha, position, placed.generations, runs, reason)

    def _all_ratios(self, ends: Ends, together: Sequence[str], runs: Sequence[str]) -> Ratios:
        """Of the runs that have something to compare; the reason of the last that has not."""
        whole = Ratios()
        if not runs:
            return whole
        with self.sitting.store() as store:
            for run in runs:
                ratios = self.ratios(store, ends, together, run)
                whole = replace(ratios, of=whole.of) if ratios.reason else whole.with_more(ratios)
        return whole

    def confirm(self, ends: Ends, environment: str, parent: str) -> Confirmed:
        good, bad = self.sitting.environments
        together = tuple(dict.fromkeys((parent, environment, good, bad)))
        runs = self.measure(ends, together, ends.generations, False)
        ratios = self._all_ratios(ends, together, runs)
        step, gap = ratios.between(environment, parent), ratios.between(bad, good)
        if ratios.reason or len(step) < 2:
            why = ratios.reason or "no two generations were left to compare"
            return Confirmed(False, reason=why, runs=runs)
        p = slower_p(step, self.theta)
        share, is_part = share_of_gap(step, gap, FAMILY_ALPHA)
        reason = "" if p <= FAMILY_ALPHA else f"p = {p:.2g} is above {FAMILY_ALPHA:.2g}"
        return Confirmed(not reason, _interval(step), share, not is_part, reason, runs)


def _interval(effects: Sequence[float]) -> tuple[float, float, float]:
    """(ratio, low, high) of log ratios, one a generation."""
    estimate = exp_interval(*mean_interval(effects), len(effects))
    return estimate.value, estimate.low, estimate.high


class TimeFigure(RatioFigure):
    """Seconds of a call. The ends are held against each other by a gate."""

    @property
    def theta(self) -> float:
        return self.sitting.request.settings.theta

    def ends(self) -> Ends | str:
        sitting = self.sitting
        plan, datasets = make_plan(sitting.request, sitting.report)
        with sitting.measuring() as store:
            gate = run_gate(sitting.request, plan, datasets, store, sitting.origin, sitting.report)
            if gate.interrupted:
                raise KeyboardInterrupt
            taken = len(store.done_generations(gate.screen_run))
        if not gate.confirmed:
            return _why_alike(gate)
        worst = max(gate.confirmed, key=_confirmed_ratio)
        if len(gate.confirmed) > 1:
            sitting.report.note(f"{len(gate.confirmed)} cells differ; following {worst.key}")
        confirmation = worst.deciding
        assert confirmation is not None
        estimate = confirmation.estimate
        generation_s = sitting.request.settings.max_time_s / taken / len(plan.cases)
        return Ends(
            worst.key.arm,
            worst.case,
            worst.phase,
            (estimate.value, estimate.low, estimate.high),
            generations=max(taken, FEWEST),
            generation_s=generation_s,
            runs=gate.runs,
        )

    def measure(
        self, ends: Ends, environments: Sequence[str], generations: int, check: bool
    ) -> tuple[str, ...]:
        sitting = self.sitting
        with sitting.measuring() as store:
            subject = sitting.subject(ends)
            return (
                measure_together(
                    subject, environments, generations, check, store, sitting.origin,
                    sitting.report,
                ),
            )  # fmt: skip

    def generations_of(self, runs: Sequence[str]) -> int:
        return LOOKS[len(runs) - 1] if runs else 0

    def ratios(self, store: Store, ends: Ends, environments: Sequence[str], run: str) -> Ratios:
        return time_ratios(self.sitting.subject(ends), environments, run_of(store, run))


def _confirmed_ratio(cell: GateCell) -> float:
    assert cell.deciding is not None
    return cell.deciding.estimate.value


def _why_alike(gate: Gate) -> str:
    """Why a gate of the ends leaves nothing to look for."""
    for (arm, workload), unproven in gate.unproven.items():
        return f"{arm} on {workload} {unproven.sentence}; bisect --by agreement"
    for key, reason in gate.failed.items():
        return f"{key} failed: {reason}"
    fastest = [cell.screen.value for cell in gate.cells if cell.screen.value == cell.screen.value]
    if fastest and max(fastest) < 1 / (1 + gate.theta):
        return "the bad end is faster than the good one; exchange --good and --bad"
    seen = [cell for cell in gate.cells if gate.is_blind(cell)]
    more = f"; {len(seen)} of them could not have seen much: give more --max-time" if seen else ""
    return (
        f"none of {counted(len(gate.cells), 'cell')} is slower at the bad end for certain, by more "
        f"than {gate.theta:.0%}{more}"
    )


class MemoryFigure(RatioFigure):
    """Peak of memory of a call, which a run measures once: a generation is a run of its own."""

    @property
    def theta(self) -> float:
        return self.sitting.request.settings.theta

    def ends(self) -> Ends | str:
        sitting = self.sitting
        request = replace(
            sitting.request,
            settings=replace(sitting.request.settings, generations=1, max_time_s=1.0),
            gate=None,
        )
        runs = []
        for _ in range(FEWEST):
            with sitting.measuring() as store:
                runs.append(measure_run(request, store, sitting.origin, sitting.report))
            request = replace(request, settings=replace(request.settings, check=False))
        with sitting.store() as store:
            for run in runs:
                refuse_nothing(run, store, ())
            effects = self._effects([run_of(store, run) for run in runs])
        theta = self.theta
        steps = holm([slower_p(each, theta) for each in effects.values()])
        larger = [key for key, step in zip(effects, steps, strict=True) if step.rejected]
        if not larger:
            return (
                f"none of {counted(len(effects), 'cell')} takes more memory at the bad end for "
                f"certain, by more than {theta:.0%}"
            )
        worst = max(larger, key=lambda key: float(np.mean(effects[key])))
        return Ends(
            worst.arm, worst.case, worst.phase, _interval(effects[worst]),
            generations=FEWEST, generation_s=1.0, runs=tuple(runs),
        )  # fmt: skip

    def _effects(self, runs: Sequence[Measured]) -> dict[CellKey, list[float]]:
        """Log ratios of the bad end to the good one, by cell, one a run."""
        effects: dict[CellKey, list[float]] = {}
        for run in runs:
            for cell in run.cells:
                base = run.beside(cell, self.sitting.at_good(cell.key.arm))
                if base is None or base is cell or run.not_comparable(cell, base):
                    continue
                if (ratio := peak_ratio(cell, base)) is not None:
                    effects.setdefault(cell.key, []).append(ratio)
        return {key: each for key, each in effects.items() if len(each) == len(runs)}

    def measure(
        self, ends: Ends, environments: Sequence[str], generations: int, check: bool
    ) -> tuple[str, ...]:
        sitting, runs = self.sitting, []
        subject = sitting.subject(ends)
        for number in range(generations):
            with sitting.measuring() as store:
                runs.append(
                    measure_together(
                        subject, environments, 1, check and not number, store, sitting.origin,
                        sitting.report,
                    )
                )  # fmt: skip
        return tuple(runs)

    def generations_of(self, runs: Sequence[str]) -> int:
        return len(runs)

    def ratios(self, store: Store, ends: Ends, environments: Sequence[str], run: str) -> Ratios:
        return memory_ratios(self.sitting.subject(ends), environments, run_of(store, run))
