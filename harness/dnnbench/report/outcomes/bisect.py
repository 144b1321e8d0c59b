"""A bisection: which revision it was, and every one that was asked."""

from collections.abc import Sequence

from ...revisions.bisecting import in_words
from ...revisions.bisection import BisectAnswer, Bisection, By, Ends
from ...revisions.walk import End, Visited
from ...stats.gate import FAMILY_ALPHA
from ...wording import counted, listed, one_line
from ..quantity import factor, interval, percent
from ..section import Cell, Column, Section, Table, Tone, table

UNITS = {By.TIME: "as long", By.MEMORY: "as much memory", By.KERNELS: "as many operators"}
"""What a ratio of a figure is of."""


def bisect_sections(bisection: Bisection) -> list[Section]:
    """The answer in words, what it rests on; then every revision in its order."""
    outcome = Section(
        id="bisect",
        title=one_line(f"{bisection.answer}: {_why(bisection)}"),
        tables=(_visits(bisection),) if bisection.walk.visited else (),
        conclusions=tuple(map(one_line, _reasons(bisection))),
    )
    return [outcome]


def bisect_line_of(bisection: Bisection) -> str:
    """The line that ends the command's output: `bisect: `, the answer, counts, and which it is."""
    if bisection.answer is BisectAnswer.INTERRUPTED:
        return "bisect: INTERRUPTED"
    count = counted(len(bisection.walk.visited), "revision")
    named = ""
    if bisection.answer is BisectAnswer.NAMED:
        named = f": {bisection.ids[bisection.walk.high]}"
    return one_line(
        f"bisect: {bisection.answer}{named}: {count} of {len(bisection.ids) - 2} asked, by "
        f"{bisection.by} (alpha {percent(FAMILY_ALPHA)})"
    )


def _why(bisection: Bisection) -> str:
    walk, title = bisection.walk, bisection.titles
    ends, confirmation = bisection.ends, bisection.confirmation
    match bisection.answer:
        case BisectAnswer.INTERRUPTED:
            return "what was measured is kept; the same command goes on"
        case BisectAnswer.ENDS_ALIKE:
            return bisection.ends_alike
        case BisectAnswer.NAMED:
            assert ends is not None
            assert confirmation is not None
            return f"{title[walk.high]}: {_effect(bisection, ends, confirmation.ratio)}"
        case BisectAnswer.ONE_OF_SEVERAL:
            several = listed([title[place] for place in bisection.candidates])
            count = len(bisection.candidates)
            return f"one of {count} revisions, which could not all be measured: {several}"
        case BisectAnswer.MORE_THAN_ONE:
            return _several_steps(bisection)
    if walk.end is End.UNDECIDED:
        return (
            f"{_range(bisection)}; {title[walk.visited[-1].place]} is like neither end for certain"
        )
    why = confirmation.reason if confirmation else ""
    return f"the walk leads to {title[walk.high]}, which fresh generations do not confirm: {why}"


def _effect(bisection: Bisection, ends: Ends, ratio: tuple[float, float, float] | None) -> str:
    """What the revision does to the cell, against the one before it."""
    if ratio is None:
        return f"from there on {ends.cell} differs from the reference: {ends.reason}"
    value, low, high = ratio
    bounds = interval(low, high, factor)
    return f"{ends.cell} takes {factor(value)}x {bounds} {UNITS[bisection.by]} as before it"


def _several_steps(bisection: Bisection) -> str:
    walk, confirmation = bisection.walk, bisection.confirmation
    if confirmation is None:
        middle = bisection.titles[walk.visited[-1].place]
        return (
            f"{middle} lies between the ends, so there is a step before it and one after it: "
            f"bisect --good and --bad on either side of it"
        )
    title = bisection.titles[walk.high]
    return f"{title} makes {percent(confirmation.share)} of the difference, and no more"


def _range(bisection: Bisection) -> str:
    walk, title = bisection.walk, bisection.titles
    return f"the step lies after {title[walk.low]}, up to {title[walk.high]}"


def _reasons(bisection: Bisection) -> list[str]:
    ends = bisection.ends
    if ends is None:
        return []
    sentences = []
    if ends.ratio is not None:
        value, low, high = ends.ratio
        sentences.append(
            f"{ends.cell} takes {factor(value)}x {interval(low, high, factor)} "
            f"{UNITS[bisection.by]} at {bisection.titles[-1]} as at {bisection.titles[0]}"
        )
    else:
        sentences.append(
            f"{ends.cell} agrees at {bisection.titles[0]}, and differs at {bisection.titles[-1]}: "
            f"{ends.reason}"
        )
    confirmation = bisection.confirmation
    if confirmation is not None and confirmation.confirmed:
        before = bisection.titles[bisection.walk.low]
        share = (
            f", {percent(confirmation.share)} of the whole difference in logarithms"
            if confirmation.share is not None
            else ""
        )
        sentences.append(f"confirmed against {before} in fresh processes{share}")
    return sentences


def _visits(bisection: Bisection) -> Table:
    """A row for every revision that was asked, in the order of the line."""
    columns = (
        Column("revision", prose=True),
        Column("result", prose=True),
        Column("place", number=True, spare=2),
        Column("generations", number=True, spare=1),
    )
    visited = sorted(bisection.walk.visited, key=lambda each: each.place)
    rows = [_row(bisection.titles[each.place], each) for each in visited]
    note = "place: 0 % as the good end, 100 % as the bad one, in logarithms"
    return table(columns, rows, note=note)


def _row(title: str, visited: Visited) -> Sequence[Cell]:
    is_bad = visited.side == "bad"
    return (
        Cell(title),
        Cell(in_words(visited), tone=Tone.BAD if is_bad else Tone.PLAIN),
        Cell("" if visited.position is None else f"{100 * visited.position:.0f} %"),
        Cell(str(visited.generations) if visited.generations else ""),
    )
