"""A section of a report: what every renderer is handed, and all that it knows of a run.

Evidence -> Section is written once, in `sections`; terminal, page, Markdown and JSON show it, each
in a file of its own.  Texts are plain: whoever renders them escapes what its medium would obey.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Tone(StrEnum):
    """How a text is set apart; the text says the same without it."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"


class Facet(StrEnum):
    """What a row may be about: a reader can ask for the rows of one workload, arm and so on."""

    WORKLOAD = "workload"
    BATCH = "batch"
    ARM = "arm"
    PHASE = "phase"
    TYPE = "type"


class Against(StrEnum):
    """What of a measured cell a place of a table shows that depends on the base."""

    TIME = "time"
    RATIO = "ratio"
    VERDICT = "verdict"
    WORDS = "words"
    REASON = "reason"


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table."""

    text: str = ""
    interval: str = ""
    """Of the value, as `[low, high]`; empty where there is none."""
    tone: Tone = Tone.PLAIN
    backend: str = ""
    """Whose colour it has, where it names an arm."""
    verdict: str = ""
    """The verdict that it states, a word of `stats.verdict.Verdict` or of `words.NOT_JUDGED`."""
    bar: float | None = None
    """Length of a bar beside the value, in per cent of the longest."""
    remark: str = ""
    """What a pointer that rests on it is shown."""
    value: float | None = None
    """What its rows are sorted by, where the text alone would mislead: '896 µs' before '1.2 ms'."""
    about: Mapping[Facet, str] = field(default_factory=dict)
    """What it tells of the subject of its row."""
    anchor: str = ""
    """The name by which `link` of another cell leads to its row."""
    link: str = ""
    """The anchor of the row that says more."""
    file: str = ""
    """A file that says more, from the folder of the run's store."""
    of: str = ""
    """The measured cell, by its id, of which it shows what depends on the base."""
    shows: Against | None = None
    """What that is."""
    shade: float | None = None
    """How far from the best it is, from 0 to 1: a colour beside the figure."""


@dataclass(frozen=True)
class Column:
    """A column of a table, and what a narrow medium may do with it."""

    heading: str
    number: bool = False
    """Whether its cells are figures, which end under each other."""
    spare: int = 0
    """Its turn to be left out where there is no room, 1 first; 0: never."""
    spare_interval: int = 1
    """The same of the intervals of its cells."""
    prose: bool = False
    """Whether its text may be broken into lines."""
    least: int = 20
    """Letters that a line of prose has at least."""
    once: bool = False
    """Whether a text that the row above has, too, need not stand again."""
    panel: str = ""
    """What it has in common with its neighbours; panels stand side by side, or below each other
    with all other columns.
    """


@dataclass(frozen=True)
class Table:
    """Columns and groups of rows; every row has a cell for each column."""

    columns: tuple[Column, ...]
    groups: tuple[tuple[tuple[Cell, ...], ...], ...]
    title: str = ""
    note: str = ""
    folded: bool = False
    """Whether it is shown only to whom asks for it: what would hide the rest by its length."""
    of_chart: bool = False
    """Whether it has a chart's points, and is left out where the chart is."""

    def __post_init__(self) -> None:
        lengths = {len(row) for row in self.rows}
        if lengths - {len(self.columns)}:
            raise ValueError(
                f"table {self.title!r}: got rows of {sorted(lengths)} cells for "
                f"{len(self.columns)} columns; give every row a cell for each column"
            )

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """Of all groups, in their order."""
        return [row for group in self.groups for row in group]


@dataclass(frozen=True)
class Chart(ABC):
    """A picture of figures that a table of its section has, too; leaves hold plain numbers."""

    caption: str
    """What it shows; also its text for those who cannot see it."""

    about: Mapping[Facet, str] = field(default_factory=dict, kw_only=True)
    """What all of it is about."""

    @abstractmethod
    def spec(self, colours: Mapping[str, int]) -> dict[str, Any]:
        """A Vega-Lite specification, see `charts`.  colours: the place of each backend's colour,
        see `palette`.
        """


@dataclass(frozen=True)
class Section:
    """One subject: a title, sentences written from the data, tables, charts, and what speaks
    against them.
    """

    id: str
    """Its name in links and in JSON."""
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    conclusions: tuple[str, ...] = ()
    """Sentences that follow from the tables: below them in a terminal, above them on a page."""
    charts: tuple[Chart, ...] = ()
    key: tuple[tuple[str, float], ...] = ()
    """What a shade in the charts stands for: a name, and its opacity."""
    doubts: tuple[str, ...] = ()
    """What speaks against its figures, is missing among them, or asks for care."""
    lead: str = ""
    """What it shows and how it is measured, for who sees one for the first time."""
    brief: str = ""
    """The same in a few words, units above all."""
    alarm: str = ""
    """What must be known before anything else is read; empty as a rule."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Its figures as plain data, by the keys of the JSON document."""


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    title: str = "",
    note: str = "",
    folded: bool = False,
) -> Table:
    """A table whose rows are one group."""
    group = tuple(tuple(row) for row in rows)
    return Table(tuple(columns), (group,), title, note, folded)


def words(*texts: str) -> tuple[Cell, ...]:
    """A row of plain texts."""
    return tuple(Cell(text) for text in texts)
