"""What is kept of each gate: a line of JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).with_name("recordings.jsonl")


@dataclass(frozen=True)
class Cell:
    """A cell of a gate.

    screen, confirmed: ratios of its two stages, None where a stage was not taken.
    sees: the smallest slowdown that the gate would have found, None where its figures are doubted.
    """

    workload: str
    phase: str
    screen: float
    confirmed: float | None
    sees: float | None
    outcome: str


@dataclass(frozen=True)
class GateRecord:
    """A gate.  share: by how much the later commit is slower; 0: it is equal."""

    share: float
    commits: str
    date: str
    processor: str
    max_time: str
    load: float
    seconds: float
    exit_code: int
    outcome: str
    cells: list[Cell]


def read(path: Path) -> list[GateRecord]:
    """Every gate that was recorded."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [_of_row(json.loads(line)) for line in lines]


def append(path: Path, record: GateRecord) -> None:
    """A line more."""
    with path.open("a") as file:
        file.write(json.dumps(asdict(record)) + "\n")


def _of_row(row: dict) -> GateRecord:
    return GateRecord(**row | {"cells": [Cell(**cell) for cell in row["cells"]]})
