"""What tests change in a child of theirs is there: a name that has moved is told at once,
and not by a run that fails.
"""

import re
from pathlib import Path

import pytest
from helpers.changed import place_of

TESTS = Path(__file__).parent
CHANGED = re.compile(r'"(dnnbench[\w.]*:[A-Za-z_][\w.]*)":|"(helpers\.stand_ins:\w+)"')
"""A key of changes, or what stands in its place."""
TARGETS = sorted(
    {
        (match[1] or match[2], file.relative_to(TESTS).as_posix())
        for file in TESTS.rglob("test_*.py")
        for match in CHANGED.finditer(file.read_text())
    }
)


@pytest.mark.parametrize(("target", "file"), TARGETS)
def test_what_is_changed_is_there(target, file):
    place_of(target)


def test_changes_are_found():
    assert len(TARGETS) >= 15
