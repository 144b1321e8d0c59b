"""A baseline: what the runs of one class of machine are held against, small enough for git.

Figures that do not depend on the day (agreement, operations, bytes, sizes, compilations) are
gated. Times are kept in units of the control arm, and are a hint: two days differ by more than
two runs can tell.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from ..errors import NothingMeasured, StoreError
from ..execution.agreement_rows import AgreementRow, agreement_rows
from ..execution.measured import Measured
from ..protocol.arm import OPTIONS
from ..protocol.figures import FigureKind
from ..stats.apart import log_times
from ..stats.distributions import t_quantile
from ..store.figure_rows import figure_rows
from ..store.frames import records
from ..store.run_rows import CellRow
from ..store.store import Store

LEAST_RUNS = 10
"""Runs of one class of machine from which on they can tell how far runs lie apart."""
MOST_RUNS = 20
"""The newest so many times are kept."""
HINT_LEVEL = 0.99
AGREEMENT = "agreement"
Figure = int | float | str
"""A figure that is the same whenever it is measured."""


@dataclass(frozen=True)
class BaselineCell:
    """figures: by name.  times: of the newest runs, oldest first, in units of the control arm."""

    figures: Mapping[str, Figure]
    times: tuple[float, ...] = ()

    def with_times(self, fresh: Sequence[float]) -> Self:
        """The newest `MOST_RUNS` of both."""
        return replace(self, times=(*self.times, *fresh)[-MOST_RUNS:])


@dataclass(frozen=True)
class Acceptance:
    """Why a baseline was changed, by which run, and how many figures."""

    run: str
    when: str
    reason: str
    changes: int


@dataclass(frozen=True)
class Baseline:
    """machine_class: processor, cores and memory.  cells: by `name_of`.

    timed_runs: whose times it holds, so that none is counted twice.
    """

    machine_class: str
    cells: Mapping[str, BaselineCell]
    timed_runs: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """As a file keeps it; KeyError, TypeError or ValueError for what is none."""
        cells = {
            str(name): BaselineCell(_figures(cell["figures"]), tuple(map(float, cell["times"])))
            for name, cell in stored["cells"].items()
        }
        accepted = tuple(Acceptance(**each) for each in stored["accepted"])
        runs = tuple(map(str, stored["timed_runs"]))
        return cls(str(stored["machine_class"]), cells, runs, accepted)


def _figures(stored: Mapping[str, Any]) -> dict[str, Figure]:
    for name, value in stored.items():
        if not isinstance(value, int | float | str) or isinstance(value, bool):
            raise ValueError(f"figure {name} is {value!r}, expected a number or a text")
    return dict(stored)


def name_of(cell: CellRow) -> str:
    """`mlp_digits/64 infer torch:eager[dtype=float32,threads=2,device=cpu]`: the same in every run,
    whatever else it measured.
    """
    return f"{cell.case} {cell.phase} {replace(cell.key.arm, shown=OPTIONS).name}"


def baseline_of(store: Store, run: Measured) -> Baseline:
    """What a run says of its machine's class.

    NothingMeasured for a run without cells, StoreError where the class is not known.
    """
    if run.run.machine_class is None:
        raise StoreError(
            f"run {run.run.run_id}: the class of its machine is not known (processor, cores, "
            "memory), so it has no baseline; measure on a machine that tells them"
        )
    counts = _counts(store, run)
    agreement = agreement_rows(records(store.agreement(run.run.run_id)))
    cells = {
        name_of(cell): _cell(run, cell, agreement, counts.get(cell.cell_id, {}))
        for cell in run.cells
        if cell.status == "ok"
    }
    if not cells:
        raise NothingMeasured(
            f"run {run.run.run_id} has no cell that was measured, so a baseline of it would hold "
            "nothing; name workloads that a backend supports"
        )
    return Baseline(run.run.machine_class, cells, (run.run.run_id,))


def _cell(
    run: Measured,
    cell: CellRow,
    agreement: Sequence[AgreementRow],
    counts: Mapping[str, Figure],
) -> BaselineCell:
    every = _figures_of(run, cell, agreement, counts)
    figures = {name: value for name, value in every if value is not None}
    return BaselineCell(figures, _times(run, cell))


def _figures_of(
    run: Measured,
    cell: CellRow,
    agreement: Sequence[AgreementRow],
    counts: Mapping[str, Figure],
) -> Iterator[tuple[str, Figure | None]]:
    """Every figure that the run stored of a cell and that is the same on another day."""
    own = [row for row in agreement if (row.arm, row.workload) == (cell.arm, cell.workload)]
    if own:
        yield AGREEMENT, str(max(own, key=lambda row: row.badness).status)
    yield "spec_flops", cell.flops
    yield "spec_bytes", cell.bytes
    program = run.first_facts.program(cell.key.program)
    if program.memory is not None:
        yield "weights_bytes", program.memory.weights_bytes
        yield "optimizer_bytes", program.memory.optimizer_bytes
    yield "compiled_late", program.compiled_late
    yield from counts.items()


def _counts(store: Store, run: Measured) -> dict[str, dict[str, Figure]]:
    """By cell, the deterministic figures that were the same in every generation of the run."""
    values: dict[tuple[str, str], set[float]] = {}
    for row in figure_rows(store.figures(run.run.run_id)):
        if row.figure_kind is FigureKind.DETERMINISTIC and row.value is not None:
            values.setdefault((row.cell_id, row.figure), set()).add(row.value)
    counts: dict[str, dict[str, Figure]] = {}
    for (cell, figure), several in values.items():
        if len(several) == 1:
            counts.setdefault(cell, {})[figure] = several.pop()
    return counts


def _times(run: Measured, cell: CellRow) -> tuple[float, ...]:
    """The time of a run in units of its control arm; nothing where something speaks against it."""
    recorded = run.recorded(cell) if cell.cell_id in run.visits else None
    if recorded is None or recorded.control is None or run.time_doubt(cell):
        return ()
    logs = np.asarray(log_times(recorded, normal=True))
    return (float(f"{math.exp(float(np.mean(logs))):.4g}"),) if len(logs) else ()


@dataclass(frozen=True)
class TimeHint:
    """What the runs of a class say of a new time; never a verdict.

    ratio: to their geometric mean.  low, high: what a further run of the same speed lies within,
    at 99 %.
    """

    ratio: float
    low: float
    high: float

    @property
    def word(self) -> str:
        """`slower`, `faster` or `as before`."""
        if self.ratio > self.high:
            return "slower"
        return "faster" if self.ratio < self.low else "as before"


def time_hint(times: Sequence[float], new: float) -> TimeHint | None:
    """New over the geometric mean of earlier times, with the prediction interval of one more:

        exp(+-t(0.995, n-1) sd(log times) sqrt(1 + 1/n))

    None below `LEAST_RUNS` times, which cannot tell their spread.
    """
    count = len(times)
    if count < LEAST_RUNS:
        return None
    logs = np.log(np.asarray(times, float))
    half = t_quantile((1 + HINT_LEVEL) / 2, count - 1) * float(np.std(logs, ddof=1))
    half *= math.sqrt(1 + 1 / count)
    ratio = math.exp(math.log(new) - float(np.mean(logs)))
    return TimeHint(ratio, math.exp(-half), math.exp(half))
