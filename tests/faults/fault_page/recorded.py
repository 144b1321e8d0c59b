"""The store of what checks came to: a CSV file with a row a check, more with every sitting."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock

from .plan import Planned

FILE = Path(__file__).with_name("recorded.csv")
NOW = "now"
"""In place of a commit: the code that the file lies beside."""


@dataclass(frozen=True)
class Recorded:
    """One check and what it came to.

    code: NOW, or the commit whose check it was   differs: whether anything spoke against the arm
    ratio: the worst error over its allowance, infinite where something is missing or no number
    named: what an explanation names, as `node layer_norm`; empty where none was asked for
    fault: the known fault in it
    """

    what: str
    backend: str
    mode: str
    case: str
    dtype: str
    rows: int
    code: str
    date: str
    versions: str
    differs: bool
    ratio: float
    named: str
    fault: str

    @property
    def planned(self) -> Planned:
        """The check that it is."""
        return Planned(self.what, self.backend, self.mode, self.case, self.dtype, self.rows)


def read(path: Path = FILE) -> list[Recorded]:
    """All rows; none where nothing is recorded yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [_row(row) for row in csv.DictReader(file)]


def _row(row: dict[str, str]) -> Recorded:
    typed = {"rows": int(row["rows"]), "differs": row["differs"] == "True"}
    return Recorded(**{**row, **typed, "ratio": float(row["ratio"])})


def write(rows: Iterable[Recorded], path: Path = FILE) -> None:
    """All rows, in the order of the checks, in one step: whoever is interrupted keeps the file."""
    part = path.with_suffix(".part")
    ordered = sorted(rows, key=lambda row: (row.code != NOW, row.code, row.planned))
    columns = [field.name for field in fields(Recorded)]
    with part.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        for row in ordered:
            table.writerow(asdict(row) | {"ratio": f"{row.ratio:.3g}"})
    os.replace(part, path)


def add(fresh: Sequence[Recorded], path: Path = FILE) -> None:
    """Rows in place of those of the same check and code, beside what other sittings have added."""
    places = {(row.planned, row.code) for row in fresh}
    with FileLock(path.with_suffix(".lock")):
        others = [row for row in read(path) if (row.planned, row.code) not in places]
        write([*others, *fresh], path)


def latest(rows: Iterable[Recorded], code: str = NOW) -> dict[Planned, Recorded]:
    """By check, of one code, the row of the last date."""
    of_code = (row for row in rows if row.code == code)
    return {row.planned: row for row in sorted(of_code, key=lambda row: row.date)}
