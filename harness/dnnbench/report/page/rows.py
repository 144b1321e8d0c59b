"""Rows of a table as the page shows them: each with a name to link to, and what it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..section import Cell, Facet, Table

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ShownRow:
    """A row; `name` is its id in the page."""

    name: str
    about: Mapping[Facet, str]
    cells: tuple[Cell, ...]


def shown_groups(
    table: Table, prefix: str, place: str, types: Mapping[str, str]
) -> list[list[ShownRow]]:
    """The groups of a table.

    prefix: of the names of all rows of a run   place: the table's name in it
    types: the element type of each arm
    """
    groups: list[list[ShownRow]] = []
    count = 0
    for group in table.groups:
        shown = []
        for cells in group:
            count += 1
            shown.append(_row(cells, prefix, f"{place}-{count}", types))
        groups.append(shown)
    return groups


def _row(cells: tuple[Cell, ...], prefix: str, place: str, types: Mapping[str, str]) -> ShownRow:
    about: dict[Facet, str] = {}
    for cell in cells:
        about |= cell.about
    if about.get(Facet.ARM) in types:
        about.setdefault(Facet.TYPE, types[about[Facet.ARM]])
    anchors = [cell.anchor for cell in cells if cell.anchor]
    return ShownRow(name_of(prefix, anchors[0] if anchors else place), about, cells)


def name_of(prefix: str, anchor: str) -> str:
    """An id of the page: an anchor comes from a store, and may hold anything."""
    return f"{prefix}row-{_NO_NAME.sub('-', anchor)}"
