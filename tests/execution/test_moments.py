"""Points in time as a user writes them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from dnnbench.execution.spelling import moment


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-01", "2026-11-01T00:00:00.000000+00:00"),
        (" 2026-11-01T18:00 ", "2026-11-01T18:00:00.000000+00:00"),
        ("2026-11-01T18:00+02:00", "2026-11-01T16:00:00.000000+00:00"),
        ("2026-11-01T18:00:00.5Z", "2026-11-01T18:00:00.500000+00:00"),
    ],
)
def test_a_time_is_taken_as_utc_unless_it_says_otherwise(text, iso):
    assert moment(text) == iso


def test_days_count_back_from_now():
    before = datetime.now(UTC) - timedelta(days=30)
    assert abs(datetime.fromisoformat(moment("30d")) - before) < timedelta(hours=1)


@pytest.mark.parametrize(
    "text", ["", "soon", "30", "d", "2026-13-01", "999999d", "0001-01-01T00:00+23:00"]
)
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=re.escape("expected a date such as 2026-11-01")):
        moment(text)
