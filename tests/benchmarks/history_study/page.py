"""docs/proof_history.md, from what is counted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dnnbench.stats.change_limits import limit_of
from dnnbench.wording import counted
from study.bounds import Count
from table import markdown

from .counting import CELLS, Equal

TEMPLATE = Path(__file__).with_name("template.md")
PAGE = Path(__file__).parents[3] / "docs" / "proof_history.md"
Kept = Mapping[str, Any]


def write(kept: Kept) -> Path:
    """The page; its path."""
    PAGE.write_text(text_of(kept))
    return PAGE


def text_of(kept: Kept) -> str:
    """The text of the page, a table for each part that is counted."""
    tables = {name: make(kept[name]["rows"]) for name, make in TABLES.items() if name in kept}
    blank = dict.fromkeys(TABLES, "Nothing is counted yet.\n")
    text = TEMPLATE.read_text().format(**blank | tables, origin=_origin(kept))
    return text.rstrip("\n") + "\n"


def _origin(kept: Kept) -> str:
    parts = [part for name, part in kept.items() if name in TABLES]
    names = ("processor", "versions", "date")
    rows = [(name, ", ".join(sorted({part[name] for part in parts}))) for name in names]
    return "".join(f"| {name} | {value} |\n" for name, value in rows)


def _parts(rows: list[dict]) -> str:
    heading = [
        "machine", "kind", "trials in sittings (days)", "within a run", "between runs of a sitting",
        "between sittings", "correlation of neighbours",
    ]  # fmt: skip
    return markdown(heading, [_part(row) for row in rows])


def _part(row: dict) -> list[str]:
    trials = f"{row['trials']} in {row['sittings']} ({row['days']})"
    return [row["machine"], row["kind"], trials, *_deviations(row)]


def _deviations(row: dict) -> list[str]:
    return [
        f"{row['within']:.2%}",
        f"{row['runs']:.2%}",
        f"{row['between_sittings']:.2%}" if row["sittings"] > 1 else "",
        f"{row['correlation']:+.2f}" if row["correlation"] == row["correlation"] else "",
    ]


def _sittings(rows: list[dict]) -> str:
    heading = [
        "cell", "within a run", "between runs of a sitting", "between sittings",
        "correlation of neighbours", "looks", "changes reported",
    ]  # fmt: skip
    return markdown(heading, [_sitting(row) for row in rows])


def _sitting(row: dict) -> list[str]:
    reported = ", ".join(f"at run {run}" for run in row["reported"]) or "none"
    return [row["kind"], *_deviations(row), str(row["looks"]), reported]


def _equal(rows: list[dict]) -> str:
    heading = ["equal series", "series", *(counted(cells, "cell") for cells in CELLS)]
    return markdown(heading, [_equal_row(row) for row in rows])


def _equal_row(row: dict) -> list[str]:
    """Of a history of so many cells: at most cells times the share of series."""
    counts = []
    for cells in CELLS:
        count = Count(Equal(**row).false(limit_of(cells)), row["series"])
        share, upper = (min(cells * share, 1.0) for share in (count.share, count.upper))
        counts.append(f"{share:.2%} (at most {upper:.2%})")
    name = row["kind"] if row["calibrated"] else f"*{row['kind']}*"
    return [name, f"{row['series']:,}", *counts]


def _found(rows: list[dict]) -> str:
    nights = sorted({row["before"] for row in rows})
    heading = ["nights", "sd between runs", "change", "cells"]
    heading += [f"after {night}" for night in nights]
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        key = row["kind"], row["sd"], row["size"], row["cells"]
        groups.setdefault(key, []).append(row)
    lines = []
    for (kind, sd, size, cells), members in groups.items():
        shares = [f"{row['soon'] / row['series']:.1%}" for row in members]
        lines.append([kind, f"{sd:.1%}", f"{size:.0%}", str(cells), *shares])
    return markdown(heading, lines)


def _placed(rows: list[dict]) -> str:
    heading = [
        "sd between runs",
        "change",
        "reported",
        "range holds the true run",
        "runs in the range",
    ]
    lines = [
        [
            f"{row['sd']:.1%}",
            f"{row['size']:.0%}",
            str(row["reported"]),
            Count(row["held"], row["reported"]).between(),
            f"{row['width']:.1f}",
        ]
        for row in rows
    ]
    return markdown(heading, lines)


def _drifted(rows: list[dict]) -> str:
    heading = ["drift over 60 nights", "series", "reported", "of them called a drift"]
    lines = [
        [f"{row['size']:.0%}", *(str(row[name]) for name in ("series", "reported", "named"))]
        for row in rows
    ]
    return markdown(heading, lines)


def _beside(rows: list[dict]) -> str:
    columns = list(dict.fromkeys((row["kind"], row["size"]) for row in rows))
    rules = list(dict.fromkeys(row["rule"] for row in rows))
    by_place = {(row["rule"], row["kind"], row["size"]): row for row in rows}
    heading = ["rule", "series", *(_column(*column) for column in columns)]
    lines = []
    for rule in rules:
        cells = [by_place.get((rule, *column)) for column in columns]
        size = next(cell["series"] for cell in cells if cell)
        lines.append([rule, str(size), *("" if cell is None else _share(cell) for cell in cells)])
    return markdown(heading, lines)


def _column(kind: str, size: float) -> str:
    return f"+{size:.0%} found" if size else kind


def _share(row: dict) -> str:
    """Of a changed series what was found, else what was reported."""
    return f"{(row['soon'] if row['size'] else row['false']) / row['series']:.1%}"


TABLES = {
    "parts": _parts,
    "sittings": _sittings,
    "equal": _equal,
    "found": _found,
    "placed": _placed,
    "drifted": _drifted,
    "beside": _beside,
}
