"""What airspeed velocity (asv) kept of one commit: a file of results, version 2."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from .foreign import ForeignBenchmark, ForeignRun

TOOL = "asv"
TIMES = ("time", "timeraw")
"""What the name of a function that asv times begins with."""
LATEST_MS = 221_845_392_000_000
"""The year 9000: a later date is none."""


class Results(BaseModel):
    """The whole file."""

    commit_hash: Annotated[str, Field(min_length=1)]
    env_name: str = ""
    date: Annotated[int, Field(ge=0, le=LATEST_MS)]
    params: dict[str, Any] = {}
    python: str | None = ""
    requirements: dict[str, Any] | list[Any] | None = None
    result_columns: list[str]
    results: dict[str, list[Any] | None]
    version: Literal[2]


def is_results(content: object) -> bool:
    """Whether asv may have written it."""
    return isinstance(content, dict) and {"commit_hash", "results"} <= content.keys()


def foreign_run(results: Results, described: Mapping[str, Any]) -> ForeignRun:
    """The run of the file.

    described: the content of benchmarks.json, which tells units; empty where there is none, and
    then a benchmark is a time if its name begins as asv's do.
    """
    timed: list[ForeignBenchmark] = []
    left_out: dict[str, str] = {}
    for name, values in results.results.items():
        if not _is_time(name, described.get(name)):
            left_out[name] = "it is no time"
            continue
        row = dict(zip(results.result_columns, values or (), strict=False))
        cells = list(_cells(name, row))
        if not cells:
            left_out[name] = "it has no result"
        timed += cells
    params = results.params
    return ForeignRun(
        tool=TOOL,
        tool_version="",
        created=datetime.fromtimestamp(results.date / 1000, UTC),
        revision=results.commit_hash,
        host=str(params.get("machine", "")),
        hardware={
            "architecture": params.get("arch"),
            "cpu_model": params.get("cpu"),
            "logical_cpus": _whole(params.get("num_cpu")),
        },
        versions=dict(_versions(results)),
        benchmarks=timed,
        machine_label=str(params["machine"]) if params.get("machine") else None,
        kernel=str(params.get("os") or ""),
        environment=results.env_name,
        left_out=left_out,
    )


def _is_time(name: str, description: object) -> bool:
    if isinstance(description, dict) and "unit" in description:
        return bool(description["unit"] == "seconds")
    return name.rpartition(".")[2].partition("_")[0] in TIMES


def _versions(results: Results) -> Iterator[tuple[str, str]]:
    yield "python", results.python or ""
    if isinstance(results.requirements, dict):
        yield from ((name, str(version)) for name, version in results.requirements.items())


def _cells(name: str, row: Mapping[str, Any]) -> Iterator[ForeignBenchmark]:
    """A benchmark for each combination of parameters that has a time."""
    parameters = row.get("params")
    lists = [each for each in parameters or () if isinstance(each, list)]
    combinations = list(itertools.product(*lists))
    for place, combination in enumerate(combinations):
        result = _at(row.get("result"), place)
        if not _is_positive(result):
            continue
        samples = _at(row.get("samples"), place)
        whole = isinstance(samples, list) and len(samples) > 0 and all(map(_is_positive, samples))
        number = _at(row.get("stats_number"), place)
        shown = f"{name}({', '.join(map(str, combination))})" if combination else name
        yield ForeignBenchmark(
            shown,
            samples if whole else [result],
            max(_whole(number) or 1, 1),
            str(row.get("version") or ""),
        )


def _at(values: object, place: int) -> Any:
    """Of a list its entry; of a single value that value: asv writes both."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return values if place == 0 else None
    return values[place] if place < len(values) else None


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _whole(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
