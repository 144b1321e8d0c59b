"""Figures from recordings: a ratio with its interval over processes for each cell and twin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, median

from dnnbench.stats.estimates import Estimate, exp_interval, mean_interval

from .recordings import Beside, Recording

AIM = 1.02
"""Beside the faster twin, the most that a cell should take."""


@dataclass(frozen=True)
class Figure:
    """The program beside one twin in one phase: ratios of CPU time and of the clock's, with
    Student's 95 % interval over processes; the twin's seconds of CPU a call.
    """

    arm: str
    network: str
    phase: str
    twin: str
    cpu: Estimate
    wall: Estimate
    twin_s: float

    @property
    def cell(self) -> tuple[str, str, str]:
        """What is compared with several twins."""
        return self.arm, self.network, self.phase


def newest(recordings: Sequence[Recording]) -> list[Recording]:
    """Those of each arm and network that share processor and versions with the last one."""
    settings = {(one.arm, one.network): one.setting for one in recordings}
    return [one for one in recordings if one.setting == settings[one.arm, one.network]]


def figures(recordings: Sequence[Recording]) -> list[Figure]:
    """Of the newest recordings, in the order of arm, network, twin and phase as they came."""
    cells: dict[tuple[str, str, str, str], list[Beside]] = {}
    for one in newest(recordings):
        for cell in one.cells:
            cells.setdefault((one.arm, one.network, cell.phase, cell.twin), []).append(cell)
    return [
        Figure(*where, _estimate(b.cpu for b in each), _estimate(b.wall for b in each),
               median(b.twin_s for b in each))
        for where, each in cells.items()
    ]  # fmt: skip


def beside_fastest(every: Iterable[Figure]) -> list[Figure]:
    """By cell, the figure of the twin that is the fastest there."""
    cells: dict[tuple[str, str, str], Figure] = {}
    for figure in every:
        other = cells.setdefault(figure.cell, figure)
        if figure.cpu.value > other.cpu.value:
            cells[figure.cell] = figure
    return list(cells.values())


@dataclass(frozen=True)
class Summary:
    """An arm beside the fastest twins: cells, their geometric mean, those whose ratio is above the
    aim, and those whose whole interval is.
    """

    cells: int
    mean: float
    above: tuple[Figure, ...]
    wholly_above: tuple[Figure, ...]


def summaries(every: Sequence[Figure]) -> Mapping[str, Summary]:
    """By arm."""
    arms: dict[str, list[Figure]] = {}
    for figure in beside_fastest(every):
        arms.setdefault(figure.arm, []).append(figure)
    return {arm: _summary(cells) for arm, cells in arms.items()}


def _summary(cells: Sequence[Figure]) -> Summary:
    return Summary(
        len(cells),
        exp(fmean(log(figure.cpu.value) for figure in cells)),
        tuple(figure for figure in cells if figure.cpu.value > AIM),
        tuple(figure for figure in cells if figure.cpu.low > AIM),
    )


def _estimate(effects: Iterable[float]) -> Estimate:
    values = list(effects)
    return exp_interval(*mean_interval(values), len(values))
