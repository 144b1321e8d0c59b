"""What the scripts of the page read: cells, pairs of arms, charts, as JSON that ends no script."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...wording import one_line
from .. import charts
from ..evidence import Evidence
from ..parts import Part
from .details import details_of
from .pairs import pairs_of


def page_data(parts: Sequence[Part], specs: Sequence[charts.Specification]) -> str:
    """The text of the page's block of data.  specs: of the charts, by their numbers."""
    data = {
        "looks": charts.LOOKS,
        "charts": list(specs),
        "runs": [_run(part.run, part.prefix) for part in parts if part.run is not None],
    }
    return as_block(data)


def _run(run: Evidence, prefix: str) -> dict[str, Any]:
    cells = details_of(run)
    places = {cell.id: place for place, cell in enumerate(cells)}
    return {
        "prefix": prefix,
        "base": run.base,
        "theta": run.measured.theta,
        "cells": [_without_nothing(asdict(cell)) for cell in cells],
        "pairs": [list(vars(pair).values()) for pair in pairs_of(run.measured, places)],
    }


def _without_nothing(cell: dict[str, Any]) -> dict[str, Any]:
    """What a cell lacks is left out."""
    return {key: value for key, value in cell.items() if value is not None and value != ()}


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
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return one_line(value) if isinstance(value, str) else value
