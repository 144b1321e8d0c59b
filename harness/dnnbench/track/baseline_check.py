"""A run held against its baseline: what changed, and whether that speaks against it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..agreement.status import Status
from .baseline import AGREEMENT, LEAST_RUNS, Baseline, BaselineCell, Figure, time_hint


class Outcome(StrEnum):
    """What becomes of a figure of a cell, the worst first."""

    DIFFERS = "DIFFERS"
    """Its agreement with the reference, which it had."""
    GREW = "GREW"
    CHANGED = "CHANGED"
    """A figure that is a text, or one that only one of the two has."""
    MISSING = "MISSING"
    """A cell of the baseline that the run did not measure."""
    SHRANK = "SHRANK"
    NEW = "NEW"
    """A cell that the baseline does not have."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """A time, of which too few runs tell the spread."""
    HINT = "HINT"
    """A time outside the spread of earlier runs: a hint to look, no verdict."""
    SAME = "SAME"

    @property
    def fails(self) -> bool:
        """Whether a check ends with an exit code for it."""
        return self in (Outcome.DIFFERS, Outcome.GREW, Outcome.CHANGED, Outcome.MISSING)

    @property
    def is_change(self) -> bool:
        """Whether an update has to accept it."""
        return self not in (Outcome.INCONCLUSIVE, Outcome.HINT, Outcome.SAME)


@dataclass(frozen=True)
class Row:
    """One figure of one cell. before, after: None where one of the two has none."""

    cell: str
    figure: str
    outcome: Outcome
    before: Figure | None = None
    after: Figure | None = None
    reason: str = ""


def held_against(baseline: Baseline, run: Baseline) -> list[Row]:
    """A row for every figure of every cell of either, cells in their order by name.

    run: what `baseline_of` makes of a run.
    """
    rows: list[Row] = []
    for name in sorted(baseline.cells.keys() | run.cells.keys()):
        before, after = baseline.cells.get(name), run.cells.get(name)
        if after is None:
            rows.append(Row(name, "", Outcome.MISSING, reason="the run did not measure it"))
        elif before is None:
            rows.append(Row(name, "", Outcome.NEW, reason="the baseline does not have it"))
        else:
            rows += _figures(name, before, after)
            rows += _time(name, before, after)
    return rows


def _figures(name: str, before: BaselineCell, after: BaselineCell) -> Iterator[Row]:
    for figure in sorted(before.figures.keys() | after.figures.keys()):
        one, two = before.figures.get(figure), after.figures.get(figure)
        lacking = "the run does not have it" if two is None else ""
        yield Row(name, figure, _outcome(figure, one, two), one, two, lacking)


def _outcome(figure: str, before: Figure | None, after: Figure | None) -> Outcome:
    if before == after:
        return Outcome.SAME
    if figure == AGREEMENT and after is not None and not Status(str(after)).passes:
        return Outcome.DIFFERS
    if isinstance(before, int | float) and isinstance(after, int | float):
        return Outcome.GREW if after > before else Outcome.SHRANK
    return Outcome.CHANGED


def _time(name: str, before: BaselineCell, after: BaselineCell) -> Iterator[Row]:
    if not after.times:
        why = "something speaks against this run's time (dnnbench runs show)"
        yield Row(name, "time", Outcome.INCONCLUSIVE, reason=why)
        return
    (new,) = after.times
    hint = time_hint(before.times, new)
    if hint is None:
        why = f"{len(before.times)} of the {LEAST_RUNS} runs that tell their spread"
        yield Row(name, "time", Outcome.INCONCLUSIVE, None, new, why)
        return
    why = (
        f"{hint.ratio:.3f} of the earlier runs, which lie within {hint.low:.3f} to {hint.high:.3f}"
    )
    outcome = Outcome.SAME if hint.word == "as before" else Outcome.HINT
    yield Row(name, "time", outcome, None, new, f"{hint.word}: {why}")
