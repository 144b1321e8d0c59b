"""What the scripts of the page read: cells, pairs of arms, charts, as JSON that ends no script."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from ...wording import one_line
from .. import drawing
from ..evidence import Evidence
from ..parts import Part
from .details import CellDetail, details_of
from .pairs import pairs_of

DIGITS = ".7g"
"""Of a number: more than any figure or chart shows."""
SPELLED = ("workload", "phase", "arm", "backend", "type", "device", "status", "reason")
"""Fields of a cell that many cells have alike: a text stands once, and cells have its place."""


def page_data(parts: Sequence[Part], specs: Sequence[drawing.Specification]) -> str:
    """The text of the page's block of data.  specs: of the charts, by their numbers."""
    data = {
        "looks": drawing.LOOKS,
        "charts": list(specs),
        "runs": [_run(part.run, part.prefix) for part in parts if part.run is not None],
    }
    return as_block(data)


def _run(run: Evidence, prefix: str) -> dict[str, Any]:
    cells = details_of(run)
    places = {cell.id: place for place, cell in enumerate(cells)}
    pairs = pairs_of(run.measured, places)
    # Where every pair is there, the ratio to the run's base is one of them.
    shown = [replace(cell, against=None) for cell in cells] if pairs else cells
    return {
        "prefix": prefix,
        "base": run.base,
        "theta": run.measured.theta,
        "cells": _table_of(shown),
        "pairs": [list(vars(pair).values()) for pair in pairs],
    }


def _table_of(cells: Sequence[CellDetail]) -> dict[str, Any]:
    """Cells as rows: of thousands, the names of fields alone would be megabytes."""
    names = [field.name for field in fields(CellDetail)]
    places: dict[str, int] = {}
    rows = [[_place(places, name, getattr(cell, name)) for name in names] for cell in cells]
    return {
        "fields": names,
        "spelled": SPELLED,
        "texts": list(places),
        "rows": [_without_end(row) for row in rows],
    }


def _place(places: dict[str, int], name: str, value: Any) -> Any:
    """The value; of a text that many cells have, its place."""
    if name not in SPELLED or value is None:
        return value
    return places.setdefault(str(value), len(places))


def _without_end(row: list[Any]) -> list[Any]:
    """What a cell lacks at the end of its row is left out."""
    while row and row[-1] in (None, ()):
        row.pop()
    return row


def as_block(data: Any) -> str:
    """JSON in which no text can end the script that holds it, or turn the direction of writing."""
    text = json.dumps(_sound(data), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _sound(value: Any) -> Any:
    """Numbers that JSON has, texts that no reader's program obeys."""
    if isinstance(value, Mapping):
        return {one_line(str(key)): _sound(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(part) for part in value]
    if isinstance(value, float):
        return float(format(value, DIGITS)) if math.isfinite(value) else None
    return one_line(value) if isinstance(value, str) else value
