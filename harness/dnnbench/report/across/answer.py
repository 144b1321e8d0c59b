"""First of all: how much faster a side is on these workloads, and how workloads differ."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from ...protocol.keys import CaseKey
from ...stats.estimates import Estimate
from ...stats.over_families import LEAST_FAMILIES
from ...wording import counted
from ...wording import listed as first_of
from ..answer_words import case_names
from ..cells import estimate_cell
from ..evidence import HEADLINES
from ..quantity import MISSING, digits, factor, interval, ratio
from ..section import Cell, Column, Section, Table, Tone, table
from ..words import listed
from .by import PLURAL
from .compared import SideBySide
from .differences import version_warning
from .overall import Overall

WORST = 3
"""Workloads that are named, each with its figure."""
MOST_SPOKEN = 4
"""Sides that have sentences of their own; more are in the table alone."""
WITHIN = "within-run error only"
LEAD = (
    "How much faster is the geometric mean over workloads, of each the mean over its arms; its "
    "interval holds the error of measuring these workloads. How workloads differ is another "
    "question: the range is no error of the mean, and only the interval over families speaks of "
    "workloads that were not measured."
)


def answer(compared: SideBySide) -> Section:
    """A sentence or a row for each side and purpose."""
    first = compared.names[0]
    return Section(
        id="across",
        title=f"{PLURAL[compared.by].capitalize()} side by side",
        brief=f"times as fast as {first}",
        alarm=version_warning(compared),
        tables=tuple(one for one in (_table(compared), _by_arm(compared)) if one.rows),
        sentences=tuple(_sentences(compared)),
        doubts=tuple(_doubts(compared)),
        lead=LEAD,
        data={"side_by_side": _data(compared)},
    )


def _sentences(compared: SideBySide) -> list[str]:
    spoken = []
    for phase, of_sides in compared.overall.items():
        judged = [(name, one) for name, one in zip(compared.names, of_sides, strict=True) if one]
        if len(judged) > MOST_SPOKEN:
            judged = sorted(judged, key=lambda pair: -pair[1].faster.value)[:1]
        for name, one in judged:
            spoken.append(_how_much(compared, phase, name, one))
            spoken.append(_how_different(name, one))
    return spoken


def _how_much(compared: SideBySide, phase: str, name: str, one: Overall) -> str:
    """The mean of these workloads."""
    mean = one.faster
    show = _digits(mean)
    bounds = interval(mean.low, mean.high, show)
    arms = f", {len(one.by_arm)} arms" if len(one.by_arm) > 1 else ""
    count = f"{len(one.by_case)} workloads" if len(one.by_case) > 1 else "this workload"
    these = f"these {count}" if len(one.by_case) > 1 else count
    kind = "geometric mean" if len(one.by_case) > 1 or arms else ""
    notes = "; ".join(filter(None, (f"{kind}{arms}", _unit(one, bounds))))
    return (
        f"{HEADLINES[phase].capitalize()}: {name} is {show(mean.value)}x {bounds}".rstrip()
        + f" as fast as {compared.names[0]} on {these} ({notes})."
    )


def _digits(estimate: Estimate) -> Callable[[float], str]:
    """As few digits as tell the ends of an interval apart."""
    return digits if factor(estimate.low) == factor(estimate.high) else factor


def _unit(one: Overall, bounds: str) -> str:
    """What the interval holds, and why there is none."""
    if not bounds:
        return "no interval: too few generations" if one.sound else "not judged: disturbed"
    if one.runs > 1:
        return f"over {one.runs} runs"
    return "" if one.paired else WITHIN


def _how_different(name: str, one: Overall) -> str:
    """The range, the worst of it, and what is said of other workloads."""
    if len(one.by_case) == 1:
        return "One workload says nothing of others."
    names = case_names(list(one.by_case))
    ordered = sorted(one.by_case, key=lambda case: one.by_case[case])
    low, high = (factor(math.exp(one.by_case[case])) for case in (ordered[0], ordered[-1]))
    worst = [f"{names[case]} {factor(math.exp(one.by_case[case]))}x" for case in ordered[:WORST]]
    which = "the worst" if len(ordered) > WORST else "in order"
    return f"Workloads differ: {low}x to {high}x, {which}: {', '.join(worst)}. {_others(one)}"


def _others(one: Overall) -> str:
    """What the families say of workloads that were not measured."""
    bounds = interval(one.others.low, one.others.high, _digits(one.others))
    alike = [_family(name, cases) for name, cases in one.families.items() if len(cases) > 1]
    counted = f" ({first_of(alike)})" if alike else ""
    families = "1 family" if len(one.families) == 1 else f"{len(one.families)} families"
    if not bounds:
        return f"{families}{counted} tell too little of other workloads; {LEAST_FAMILIES} would."
    return f"Of other workloads like these: {bounds} on average, by {families}{counted}."


def _family(name: str, cases: tuple[CaseKey, ...]) -> str:
    names = case_names(list(cases))
    return f"{listed([names[case] for case in cases])} are one"


def _table(compared: SideBySide) -> Table:
    """A row for each side."""
    columns = [Column(compared.by.value)]
    for phase in compared.overall:
        name = HEADLINES[phase]
        columns += [
            Column(name, number=True, panel=name),
            Column("range", number=True, panel=name),
            Column("least", panel=name),
        ]
    rows = []
    for place, name in enumerate(compared.names):
        row = [Cell(name)]
        for of_sides in compared.overall.values():
            row += _cells(of_sides[place], place == 0)
        rows.append(row)
    return table(columns, rows, note=f"times as fast as {compared.names[0]}")


def _cells(one: Overall | None, is_first: bool) -> list[Cell]:
    if one is None:
        return [Cell("base" if is_first else MISSING, tone=Tone.QUIET), Cell(), Cell()]
    ordered = sorted(one.by_case, key=lambda case: one.by_case[case])
    names = case_names(list(one.by_case))
    low, high = (factor(math.exp(one.by_case[case])) for case in (ordered[0], ordered[-1]))
    return [estimate_cell(one.faster, ratio), Cell(f"{low} to {high}"), Cell(names[ordered[0]])]


def _by_arm(compared: SideBySide) -> Table:
    """A row for each arm and side; none for a single arm."""
    columns = [Column("arm", once=True), Column(compared.by.value)]
    columns += [Column(HEADLINES[phase], number=True) for phase in compared.overall]
    rows = []
    for arm in dict.fromkeys(cell.same.label for cell in compared.cells):
        for place, name in enumerate(compared.names[1:], 1):
            of_arm = [_arm(of_sides[place], arm) for of_sides in compared.overall.values()]
            rows.append([Cell(arm), Cell(name), *of_arm])
    several = len({row[0].text for row in rows}) > 1
    title = f"By arm, times as fast as {compared.names[0]}"
    return table(columns, rows if several else [], title=title)


def _arm(one: Overall | None, arm: str) -> Cell:
    return estimate_cell(None if one is None else one.by_arm.get(arm), ratio)


def _doubts(compared: SideBySide) -> list[str]:
    doubts = []
    for phase, of_sides in compared.overall.items():
        for name, one in zip(compared.names, of_sides, strict=True):
            if one is not None and one.doubted:
                left = "left out" if one.sound else "shown without an interval"
                count = counted(one.doubted, "cell")
                doubts.append(
                    f"{HEADLINES[phase]}, {name}: {count} whose times something speaks against, "
                    f"{left}"
                )
    within = [one for of_sides in compared.overall.values() for one in of_sides if one is not None]
    if any(one.within_runs_only for one in within):
        doubts.append(
            f"{WITHIN}: one run of a side cannot tell how far its runs lie apart; several of "
            "each, on other days, would"
        )
    return doubts


def _data(compared: SideBySide) -> dict[str, Any]:
    """For a script."""
    rows = []
    for phase, of_sides in compared.overall.items():
        for name, one in zip(compared.names, of_sides, strict=True):
            if one is not None:
                rows.append({"phase": phase, "side": name, **_figures(one)})
    names = compared.names
    return {"by": compared.by.value, "first": names[0], "sides": names, "overall": rows}


def _figures(one: Overall) -> Mapping[str, Any]:
    return {
        "times_as_fast": one.faster.value,
        "low": _number(one.faster.low),
        "high": _number(one.faster.high),
        "unit": "run" if one.runs > 1 else "generation",
        "within_run_error_only": one.within_runs_only,
        "workloads": {str(case): math.exp(log) for case, log in one.by_case.items()},
        "families": {name: list(map(str, cases)) for name, cases in one.families.items()},
        "like_these_low": _number(one.others.low),
        "like_these_high": _number(one.others.high),
        "arms": {arm: estimate.value for arm, estimate in one.by_arm.items()},
        "doubted_cells": one.doubted,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
