"""docs/reading.md shows an answer that dnnbench prints."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reading.md").read_text()
ANSWER = ROOT / "tests/report/golden/answer_decided_80.txt"
"""Held against what is printed by tests/report/test_answer.py."""


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_answer_is_one_that_is_printed():
    [shown] = re.findall(r"```text\n(.*?)```", PAGE, re.S)
    assert lines_of(shown) == lines_of(ANSWER.read_text())


def test_the_words_that_the_page_explains_are_printed():
    said = "\n".join(" ".join(path.read_text().split()) for path in ANSWER.parent.glob("*_80.txt"))
    words = ("is fastest on", "undecided: ", "not judged",
             "The machine was too busy to judge")  # fmt: skip
    assert [word for word in words if word not in said] == []
