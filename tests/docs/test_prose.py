"""Prose stands on lines that an editor shows whole; tables and code may be wider."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_COLUMNS = 160
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/README.md")),
]
FENCED = re.compile(r"(?ms)^ *```.*?^ *```$")
NO_PROSE = re.compile(r" {4}| *\||!\[")
"""How a line of code, of a table, or with a picture begins."""


def prose_of(text: str) -> list[str]:
    lines = FENCED.sub("", text).splitlines()
    return [line for line in lines if not NO_PROSE.match(line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_prose_is_wider_than_an_editor(page):
    wide = [line for line in prose_of(page.read_text()) if len(line) > MOST_COLUMNS]
    assert wide == []


def test_code_and_tables_are_left_out():
    assert prose_of("a\n\n    code\n| table\n```text\nfenced\n```\nb") == ["a", "", "", "b"]
