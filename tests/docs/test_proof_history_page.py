"""docs/proof_history.md is written from what is recorded, and the limits keep what they promise."""

import json
from pathlib import Path

import pytest
from dnnbench.stats.change_limits import FAMILY_ALPHA, LEAST_POINTS, LEAST_SIDE, WINDOW, limit_of
from history_study.counting import CELLS, Equal, Found
from history_study.page import TABLES, text_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "proof_history.md").read_text()
KEPT = json.loads((ROOT / "tests/benchmarks/history_study/recorded.json").read_text())
EQUAL = [Equal(**row) for row in KEPT["equal"]["rows"]]
CALIBRATED = [row for row in EQUAL if row.calibrated]


def test_the_page_is_written_from_what_is_recorded():
    assert text_of(KEPT) == PAGE, "run make history-study HISTORY=\"--only ''\""


def test_every_part_is_counted():
    assert set(KEPT) == set(TABLES)


@pytest.mark.parametrize("cells", CELLS)
@pytest.mark.parametrize("row", CALIBRATED, ids=lambda row: row.kind)
def test_equal_series_show_a_change_point_no_more_often_than_is_promised(row, cells):
    assert cells * row.false(limit_of(cells)) / row.series <= FAMILY_ALPHA


def test_enough_equal_series_are_counted():
    assert len(CALIBRATED) >= 8
    assert min(row.series for row in CALIBRATED) >= 10 * max(CELLS) / FAMILY_ALPHA


def test_a_limit_that_is_too_wide_would_be_seen():
    assert any(row.false(10 * limit_of(1)) / row.series > FAMILY_ALPHA for row in CALIBRATED)


def test_the_search_is_the_one_that_was_counted():
    assert (KEPT["equal"]["rule"]) == [WINDOW, LEAST_POINTS, LEAST_SIDE]


def test_a_count_includes_the_bin_that_holds_the_limit():
    row = Equal("k", True, 100, {"59": 2, "60": 3, "61": 5})
    assert [row.false(limit) for limit in (1e-6, 0.9e-6, 0.7e-6)] == [8, 8, 5]


def test_five_percent_are_found_within_five_points_where_there_are_nights_enough():
    """The aim, of one series: an sd of 1 %, and thirty nights before the change."""
    rows = [Found(**row) for row in KEPT["found"]["rows"]]
    shares = [
        row.soon / row.series
        for row in rows
        if (row.kind, row.sd, row.size, row.cells) == ("independent nights", 0.01, 0.05, 1)
        and row.before >= 30
    ]
    assert min(shares) >= 0.9
