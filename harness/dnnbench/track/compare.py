"""Is a later run slower than an earlier one? Answered cell by cell,
through each run's control arm.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..execution.agreement_rows import agreement_rows, unproven
from ..execution.measured import Measured, measured
from ..execution.twins import twin_doubt, twins_of
from ..stats.apart import LEAST_RUNS, Apart, Recorded, Spread, compare_apart
from ..stats.estimates import absolute_time
from ..stats.verdict import Finding, Verdict
from ..store.frames import records
from ..store.run_rows import CellRow
from ..store.store import Store
from .cells import identity, setting, timed
from .spread import ALIKE, spread_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "workload": "object", "batch_size": "int64", "phase": "object", "arm": "object",
    "base_s": "float64", "new_s": "float64",
    "ratio": "float64", "ratio_low": "float64", "ratio_high": "float64",
    "verdict": "object", "reason": "object", "regression": "bool",
}  # fmt: skip
"""Of the frame, with dtypes. base_s, new_s: seconds a call; ratio:
new / base, each over its control.

ratio_low, ratio_high: missing where the reason overrules them.
"""


@dataclass(frozen=True)
class RunComparison:
    """Two runs held against each other; `cells` has a row for each pair, with `COLUMNS`."""

    base_run: str
    new_run: str
    cells: "pd.DataFrame"
    only_base: list[str]
    only_new: list[str]
    unusable: str | None
    """Why nothing could be judged; None if one pair or more got an interval."""
    spread: Spread | None
    """How far runs of this machine lie apart, as part of every interval;
    None where too few runs tell it.
    """
    runs: int
    """How many other runs could tell the spread."""
    one_machine: bool
    """Whether both runs were measured on the same."""

    @property
    def error(self) -> str:
        """What error the intervals hold, in a sentence."""
        if not self.one_machine:
            return (
                "within-run error only: the intervals do not cover what the two machines differ by"
            )
        if self.spread is not None:
            return (
                f"runs of this machine vary by {self.spread.sd:.1%} (sd over {self.spread.runs} "
                "other runs): the intervals cover that as well as the error within the two runs"
            )
        return (
            f"within-run error only: {LEAST_RUNS} other runs of this machine with a cell in common "
            f"would show how much its runs vary, and the store has {self.runs}; until then "
            "intervals between runs are too narrow"
        )

    @property
    def regressed(self) -> bool:
        """Whether some cell became slower for certain, by more than the threshold."""
        return bool(self.cells["regression"].any())


def compare(
    store: Store, base_run: str, new_run: str, fail_on: float | None = None
) -> RunComparison:
    """Pair the cells of two runs by identity, and judge each by its ratio new / base.

    fail_on: a share, 0.05 for 5 %; a cell regressed if the whole interval lies above 1 +
    fail_on and nothing (a moved control arm, contention, a failed check) speaks against it.
    Without it nothing is a regression.
    """
    import pandas as pd

    base, new = measured(store, base_run), measured(store, new_run)
    machine = base.run.machine_id
    one_machine = machine == new.run.machine_id
    spread, others = spread_of(store, machine, (base_run, new_run)) if one_machine else (None, 0)
    bases, news = timed(base), timed(new)
    unproven = _unproven(store, base_run) | _unproven(store, new_run)
    # Two runs of one machine cannot know what lies between runs: its other runs show it.
    rows = [
        _row(base, bases[key], new, cell, fail_on, unproven, spread)
        for key, cell in news.items()
        if key in bases
    ]
    cells = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return RunComparison(
        base_run,
        new_run,
        cells,
        only_base=[_left_over(cell, new) for key, cell in bases.items() if key not in news],
        only_new=[_left_over(cell, base) for key, cell in news.items() if key not in bases],
        unusable=_unusable(base, new, cells),
        spread=spread,
        runs=others,
        one_machine=one_machine,
    )


def _unproven(store: Store, run_id: str) -> dict[tuple[str, str], str]:
    """By (arm, workload): why the run does not know that it computed the same as the reference."""
    rows = records(store.agreement(run_id))
    reasons = unproven(agreement_rows(rows))
    return {key: reason.sentence for key, reason in reasons.items()}


def _row(
    base: Measured,
    old: CellRow,
    new: Measured,
    cell: CellRow,
    fail_on: float | None,
    unproven: dict[tuple[str, str], str],
    spread: Spread | None,
) -> list[Any]:
    """A row of the frame, in the order of its columns."""
    zone = base.theta if fail_on is None else min(base.theta, fail_on)
    one, two = base.recorded(old), new.recorded(cell)
    apart = compare_apart(one, two, zone, spread=spread)
    doubt = base.time_doubt(old) or new.time_doubt(cell) or _twin_doubt(base) or _twin_doubt(new)
    finding = _finding(apart, unproven.get((cell.arm, cell.workload), ""), doubt)
    ends = (None, None) if finding.overruled else (apart.estimate.low, apart.estimate.high)
    regression = (
        fail_on is not None
        and finding.verdict == Verdict.SLOWER
        and apart.estimate.low > 1 + fail_on
    )
    return [
        cell.workload, cell.batch_size, cell.phase, cell.arm, _call_s(one), _call_s(two),
        apart.estimate.value, *ends, finding.verdict, finding.reason or None, regression,
    ]  # fmt: skip


def _twin_doubt(run: Measured) -> str:
    """That a run found its base unlike itself: then it may find any cell unlike another run's."""
    doubt = twin_doubt(twins_of(run))
    return f"in run {run.run.run_id} {doubt}" if doubt else ""


def _call_s(cell: Recorded) -> float:
    return absolute_time(cell.visits, cell.dropped).value


def _finding(apart: Apart, unproven: str, doubt: str) -> Finding:
    """unproven: why the arm is not known to compute the same; doubt:
    what speaks against the time of either run.
    """
    if apart.finding is None:
        reason = "measured on another machine: a ratio, but no verdict"
        return Finding(None, f"{reason}; {doubt}" if doubt else reason, overruled=bool(doubt))
    if unproven:
        overruled = bool(doubt) or apart.finding.overruled
        return Finding(
            Verdict.UNDECIDED, f"not ranked: in one of the runs it {unproven}", overruled
        )
    return Finding(Verdict.UNDECIDED, doubt, overruled=True) if doubt else apart.finding


def _left_over(cell: CellRow, other: Measured) -> str:
    """What a cell without a partner is, and how the other run comes to have none."""
    same = [c for c in other.cells if identity(c) == identity(cell)]
    why = (
        (same[0].reason or f"{same[0].status}, without a visit") if same else _nearest(cell, other)
    )
    return f"{cell.workload} batch {cell.batch_size} {cell.phase} {cell.arm}: {why}"


def _nearest(cell: CellRow, other: Measured) -> str:
    """The part of the identity in which the other run differs, where only one does."""
    mine = cell.workload, cell.arm, cell.phase
    for c in (c for c in other.cells if (c.workload, c.arm, c.phase) == mine):
        if c.spec_hash != cell.spec_hash:
            return "the workload's specification is another"
        if c.batch_size == cell.batch_size:
            here, there = json.loads(cell.arm_key), json.loads(c.arm_key)
            return ", ".join(
                f"{k} is {there.get(k)} there, {v} here"
                for k, v in here.items()
                if there.get(k) != v
            )
    return "not in that run's plan"


def _unusable(base: Measured, new: Measured, cells: "pd.DataFrame") -> str | None:
    ids = f"{base.run.run_id} and {new.run.run_id}"
    if cells.empty:
        return f"{ids} have no cell in common (workload, specification, arm, batch size, phase)"
    if differs := [name for name in ALIKE if setting(base, name) != setting(new, name)]:
        settings = ", ".join(
            f"{name} {setting(base, name)} and {setting(new, name)}" for name in differs
        )
        return f"{ids} were measured in different ways ({settings}); measure both alike"
    if base.run.machine_id != new.run.machine_id:
        alike = (
            base.run.machine_class is not None and base.run.machine_class == new.run.machine_class
        )
        machines = (
            f"different machines of one class ({base.run.machine_class})"
            if alike
            else "different machines"
        )
        return (
            f"{ids} were measured on {machines}, whose times carry no verdict; measure both on one"
        )
    if not cells["ratio_low"].notna().any():
        reasons = "; ".join(dict.fromkeys(cells["reason"].dropna()))
        return f"no cell of {ids} got an interval that holds: {reasons}"
    return None
