"""What a report tells of its user, of paths and of the host: listed in it, for who sends it on."""

import re
from collections.abc import Iterable, Iterator, Sequence

from .evidence import Evidence
from .section import Cell, Column, Section, Table, table, words

_PATH = re.compile(
    r"(?<![\w/.~:\])-])(?:~?/|~[\w-]+/|[A-Za-z]:[\\/])[\w.~+@-][^\s,;:'\"()\[\]<>|]*"
)
"""An absolute path, or one from a home folder; no unit as in `examples/s`, and no batch size as in
`resnet18[tiny]/32`.
"""
LEAD = (
    "dnnbench records neither a user's nor the host's name: they stand here only where a label, "
    "the command or a path of yours holds them."
)


def disclosure(evidence: Evidence, sections: Sequence[Section]) -> Section:
    """A section about all others of a run."""
    paths = paths_in(text for section in sections for text in texts_of(section))
    label = evidence.machine["machine_label"]
    rows = (
        words("name of the machine", label or "none was set"),
        words("its class", evidence.machine["machine_class"] or "not recorded"),
        words("processor, memory, kernel, versions", "as listed under the run"),
        words("command", "as it was typed"),
        *(words("path", path) for path in paths),
    )
    counted = "one path" if len(paths) == 1 else f"{len(paths) or 'no'} paths"
    return Section(
        id="tells",
        title="What this report tells of you",
        sentences=(f"It names the machine and holds {counted}",),
        tables=(table((Column("what"), Column("told here", prose=True)), rows),),
        lead=LEAD,
    )


def paths_in(texts: Iterable[str]) -> list[str]:
    """Every absolute path, once, in alphabetical order."""
    return sorted({match.rstrip(".") for text in texts for match in _PATH.findall(text)})


def texts_of(section: Section) -> Iterator[str]:
    """All that a section shows."""
    yield from (section.title, section.alarm, section.lead, section.brief)
    yield from (*section.sentences, *section.conclusions, *section.doubts)
    yield from (chart.caption for chart in section.charts)
    for one in section.tables:
        yield from _texts_of_table(one)


def _texts_of_table(shown: Table) -> Iterator[str]:
    yield from (shown.title, shown.note, *(column.heading for column in shown.columns))
    cells: list[Cell] = [cell for row in shown.rows for cell in row]
    for cell in cells:
        yield from (cell.text, cell.remark)
