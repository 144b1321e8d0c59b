"""Bisecting a line of revisions: ends that differ, a walk, a confirmation; each sitting goes on
where the last one stopped.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import BuildError, UsageError
from ..execution.settings import STORE
from ..stats.sequential import Side
from ..store.store import open_store
from ..wording import counted
from .bisect_state import read_state, state_file, write_state
from .bisection import Bisection, By, Confirmed
from .figure import Figure
from .line import Line
from .walk import SKIPPED, Visited, Walk

IN_WORDS = {
    Side.GOOD: "like the good end",
    Side.BAD: "like the bad end",
    Side.BETWEEN: "between the ends: there is more than one step",
    Side.UNDECIDED: "undecided",
}


def bisect_line(line: Line, figure: Figure, by: By, question: Mapping[str, Any]) -> Bisection:
    """Go on with the unfinished bisection of the same question, or begin one.

    question: all that decides what is measured.
    Ctrl-C ends it with what was measured, which the next call goes on with.
    """
    target, note = figure.sitting.target, figure.sitting.report.note
    with open_store(target) as store:
        folder = store.folder or Path(STORE).parent
    file = state_file(folder, question)
    state = read_state(file)
    if state is None:
        titles = tuple(line.title(place) for place in range(len(line.ids)))
        state = Bisection(by, titles, line.ids, Walk(len(titles)), state_file=str(file))
    else:
        note(f"going on with the bisection in {file}; delete it to begin anew")
    try:
        for reached in _states(line, figure, state):
            state = reached
            write_state(file, state)
    except KeyboardInterrupt:
        return replace(state, interrupted=True)
    return state


def _states(line: Line, figure: Figure, state: Bisection) -> Iterator[Bisection]:
    """The bisection after each measurement, until nothing is left to measure."""
    if state.ends is None:
        ends = figure.ends()
        if isinstance(ends, str):
            yield replace(state, ends_alike=ends)
            return
        state = replace(state, ends=ends)
        yield state
    while (place := state.walk.next) is not None:
        for reached in _visited(line, figure, state, place):
            state = reached
            yield state
    if not state.is_finished:
        yield replace(state, confirmation=_confirmation(line, figure, state))


def _visited(line: Line, figure: Figure, state: Bisection, place: int) -> Iterator[Bisection]:
    """The bisection after each look at one candidate; the last one has it in its walk."""
    note, title = figure.sitting.report.note, line.title(place)
    walk, ends = state.walk, state.ends
    assert ends is not None
    steps = max(math.ceil(math.log2(walk.high - walk.low)), 1)
    left = counted(len(state.candidates), "revision")
    note(f"asking {title}: {left} left, {counted(steps, 'step')} at most")
    visited = Visited(place, SKIPPED)
    try:
        environment = line.environment(place, note)
    except (BuildError, UsageError) as error:
        visited = replace(visited, reason=str(error))
    else:
        for visited in figure.visit(ends, environment, walk.next_alpha, state.measured):
            yield replace(state, measured=visited.runs)
    note(f"{title}: {in_words(visited)}")
    yield replace(state, walk=walk.after(replace(visited, place=place)), measured=())


def _confirmation(line: Line, figure: Figure, state: Bisection) -> Confirmed:
    """Of the first revision like the bad end against the last one like the good end."""
    note = figure.sitting.report.note
    assert state.ends is not None
    low, high = state.walk.low, state.walk.high
    note(f"confirming {line.title(high)} against {line.title(low)} in fresh generations")
    environment, parent = line.environment(high, note), line.environment(low, note)
    return figure.confirm(state.ends, environment, parent)


def in_words(visited: Visited) -> str:
    """What a candidate came to, for a reader."""
    side = "skipped" if visited.side == SKIPPED else IN_WORDS[Side(visited.side)]
    return f"{side}: {visited.reason}" if visited.reason else side
