"""The JSON Schema of what `dnnbench export --format json` writes, from the registry of columns."""

from typing import Any

from ..columns import COLUMNS, COUNT, FRAMES, MAYBE_COUNT, REAL, TEXT, TRUTH
from ..export import JSON_VERSION
from ..frames import JSON_KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS = {COUNT: "integer", MAYBE_COUNT: "integer", REAL: "number", TRUTH: "boolean", TEXT: "string"}
"""JSON's type of a pandas dtype; whatever is missing is null."""
STRUCTURES: dict[type, str] = {list: "array", dict: "object"}
SURE = (COUNT, TRUTH)
"""Dtypes of which no value is missing."""


def schema_of_run() -> dict[str, Any]:
    """Of the whole document; keys that a later dnnbench adds are allowed."""
    parts = {
        "schema_version": {"const": JSON_VERSION},
        "run": _row("runs", "the run"),
        "machine": _row("machines", "the machine that measured"),
        "units": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "unit of each column of a cell that has one",
        },
        "cells": _rows(_row("cells", "a cell with its statistics", "summary")),
        "first_calls": _rows(_row("first_calls", "what a generation's first calls took")),
        "agreement": _rows(_row("agreement", "a check against the reference")),
        "epochs": _rows(_row("epochs", "an epoch of training")),
    }
    return {
        "$schema": DIALECT,
        "title": "A run of dnnbench, as `dnnbench export --format json` writes it",
        "type": "object",
        "properties": parts,
        "required": list(parts),
    }


def _rows(row: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": row}


def _row(frame: str, meaning: str, besides: str = "") -> dict[str, Any]:
    """A row of a frame, joined with another's columns if there is one."""
    names = [*FRAMES[frame], *(FRAMES[besides][1:] if besides else ())]
    return {
        "type": "object",
        "description": meaning,
        "properties": {name: _value(name) for name in names},
        "required": names,
    }


def _value(name: str) -> dict[str, Any]:
    column = COLUMNS[name]
    unit = f" ({column.unit})" if column.unit else ""
    described = {"description": f"{column.meaning}{unit}"}
    if name in JSON_KINDS:
        kind = STRUCTURES.get(JSON_KINDS[name])
        return described if kind is None else {"type": kind} | described
    kind = KINDS[column.dtype]
    return {"type": kind if column.dtype in SURE else [kind, "null"]} | described
