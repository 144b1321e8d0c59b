"""The file of recordings: a line of JSON for each process, what was measured in it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).with_name("recordings.jsonl")


@dataclass(frozen=True)
class Beside:
    """One phase of the program beside one twin, in one process.

    wall, cpu: logarithm of the program's time over the twin's, a median over rounds.
    twin_s: the twin's median seconds of CPU a call.
    """

    twin: str
    phase: str
    wall: float
    cpu: float
    twin_s: float
    rounds: int


@dataclass(frozen=True)
class Recording:
    """One process of one arm with one network.

    outputs, weights: the largest difference among the twins, as a share of what it may be.
    moved: the largest way that roundings move a weight, of the way that training moves it; 0 where
    it was not asked.
    """

    arm: str
    network: str
    date: str
    processor: str
    versions: dict[str, str]
    outputs: float
    weights: float
    cells: tuple[Beside, ...]
    moved: float = 0.0

    @property
    def setting(self) -> tuple[str, ...]:
        """What figures that stand together must share."""
        return self.processor, *(f"{name} {text}" for name, text in sorted(self.versions.items()))


def read(path: Path = FILE) -> list[Recording]:
    """All recordings in the order that they were made."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [_recording(json.loads(line)) for line in lines]


def append(recording: Recording, path: Path = FILE) -> None:
    """Keep one more."""
    with path.open("a") as file:
        file.write(_line(recording))


def write(recordings: Iterable[Recording], path: Path = FILE) -> None:
    """Keep these alone."""
    path.write_text("".join(map(_line, recordings)))


def _line(recording: Recording) -> str:
    return json.dumps(asdict(recording)) + "\n"


def _recording(data: dict) -> Recording:
    cells = tuple(Beside(**cell) for cell in data.pop("cells"))
    return Recording(**data, cells=cells)
