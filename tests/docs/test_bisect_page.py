"""docs/bisect.md: rows of its table are those of the study, and its conclusions follow from it."""

import re
from itertools import islice
from pathlib import Path

import pytest
from bisect_study import KINDS, OUTCOMES, RIGHT, WRONG, rows

PAGE = (Path(__file__).parents[2] / "docs/bisect.md").read_text()
HISTORIES = 100
ROWS = [
    line.strip("| ").split(" | ")
    for line in PAGE.split("<!-- study -->")[1].split("<!-- end of study -->")[0].splitlines()
    if line.startswith("| ")
][2:]
ALIKE = [place for place, kind in enumerate(KINDS) if len(kind.steps) == 1 and not kind.offsets]


def share(place, outcome):
    text = ROWS[place][2 + OUTCOMES.index(outcome)]
    return float(text.removesuffix(" %")) / 100


def test_the_table_has_a_row_for_each_kind():
    assert [row[0] for row in ROWS] == [kind.words for kind in KINDS]


@pytest.mark.parametrize("count", [2])
def test_rows_are_what_the_study_says_today(count):
    for row, page in zip(islice(rows(HISTORIES), count), ROWS, strict=False):
        assert row == [cell.strip() for cell in page]


def test_one_step_is_named_in_95_per_cent_and_a_wrong_one_in_1_at_most():
    assert list(range(18)) == ALIKE
    assert min(share(place, RIGHT) for place in ALIKE) >= 0.95
    assert max(share(place, WRONG) for place in ALIKE) <= 0.01


def test_the_sentence_counts_what_the_table_has():
    right = sum(round(HISTORIES * share(place, RIGHT)) for place in ALIKE)
    assert f"the right revision was named in {right:,}," in re.sub(r"\s+", " ", PAGE)
