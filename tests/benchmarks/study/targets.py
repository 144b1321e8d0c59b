"""What the study was asked to show, beside what it shows so far."""

from collections.abc import Sequence
from dataclasses import dataclass

from dnnbench.stats.verdict import Verdict
from table import markdown

from . import coverage
from .bounds import NONE
from .findings import LINES, Findings
from .outcomes import count, label
from .side_by_side import Beside, better_on_both

WANTED_COMPARISONS = 300
LEAST, LEAST_ELSEWHERE, LEAST_INTERVALS = 20, 5, 100
"""Trials, trials of a kind that is shown apart, and intervals, below which a share says too little
for its target.
"""
LONGEST = 60
BOUNDARY = 0.02
"""Extra work as large as the dead zone: undecided is what a right verdict must mostly be there."""


@dataclass(frozen=True)
class Target:
    """A target, what stands so far, and whether that meets it: by its count, not by its bound."""

    wanted: str
    reached: str
    met: bool | None


def targets(found: Findings) -> list[Target]:
    """The targets of the study; alarms and coverage over whole recordings, each of them once."""
    alarms = count(_part(found.whole_gates, 0.0)["confirmed"])
    held = coverage.nominal(found.whole)
    return [
        Target(
            f"at most 1 false alarm of the gate in {WANTED_COMPARISONS} comparisons",
            alarms.at_most(),
            _if(alarms.n >= WANTED_COMPARISONS, alarms.hits <= alarms.n / WANTED_COMPARISONS),
        ),
        Target(
            "95 % intervals hold the truth in 93 to 97 %",
            held.between(),
            _if(held.n >= LEAST_INTERVALS, 0.93 <= held.share <= 0.97),
        ),
        *(
            _power(found, *wanted, row)
            for row in (LONGEST, LINES)
            for wanted in ((0.05, "90 %", 0.9), (0.1, "nearly all", 0.97))
        ),
        _undecided(found),
        _peers(found.beside),
    ]


def table_of(found: Sequence[Target]) -> str:
    """As Markdown."""
    words = {True: "yes", False: "**no**", None: "not enough trials"}
    return markdown(
        ["target", "so far", "met"], [[one.wanted, one.reached, words[one.met]] for one in found]
    )


def _power(found: Findings, extra: float, words: str, least: float, row: float | str) -> Target:
    confirmed = count(_part(found.gates[row], extra)["confirmed"])
    wanted = f"{extra:+.0%} confirmed in {words}, {label(row)} a cell"
    out_of_reach = confirmed.hits + LEAST - confirmed.n < least * LEAST
    return Target(
        wanted,
        confirmed.at_least(),
        _if(confirmed.n >= LEAST or out_of_reach, confirmed.share >= least),
    )


def _undecided(found: Findings) -> Target:
    """The worst of all rows but those on the dead zone's edge.

    Met only when every row has enough trials.
    """
    quiet = {label(seconds): frame for seconds, frame in found.verdicts.items()}
    rows = [
        (count(part["said"] == Verdict.UNDECIDED), f"{row}, {extra:+.0%}", least)
        for frames, least in ((quiet, LEAST), (found.elsewhere, LEAST_ELSEWHERE))
        for row, frame in frames.items()
        for extra, part in frame.groupby("extra")
        if extra != BOUNDARY
    ]
    wanted = "UNDECIDED in under half of any row (but +2 %, the dead zone's own edge)"
    if not rows:
        return Target(wanted, NONE, None)
    worst, where, _ = max(rows, key=lambda row: row[0].share)
    missed = any(told.n >= least and told.share >= 0.5 for told, _, least in rows)
    enough = missed or all(told.n >= least for told, _, least in rows)
    return Target(wanted, f"at worst {worst.between()}: {where}", _if(enough, not missed))


def _peers(beside: Sequence[Beside]) -> Target:
    known = [row for row in beside if min(row.slower[0.0].n, row.slower[0.05].n) >= LEAST]
    better = better_on_both(known)
    told = "; ".join(f"{row.rule}, {row.order}, {row.seconds:g} s" for row in better) or "none"
    return Target("no peer better on both errors", told if known else NONE, _if(known, not better))


def _if(enough, met: bool) -> bool | None:
    return met if enough else None


def _part(found, extra: float):
    return found[found["extra"] == extra]
