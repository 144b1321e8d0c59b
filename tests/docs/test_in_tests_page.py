"""docs/in_tests.md: its tests are run as they stand there."""

import re
from pathlib import Path

import pytest
from helpers.pytest_sessions import outcome, session

PAGE = (Path(__file__).parents[2] / "docs/in_tests.md").read_text()
BLOCKS = re.findall(r"```python\n# (test_\w+\.py)\n(.*?)```", PAGE, re.DOTALL)


def file_of(name):
    return "\n\n".join(text for file, text in BLOCKS if file == name)


def test_the_page_has_tests():
    assert {name for name, _ in BLOCKS} == {"test_speed.py", "test_certain.py"}


def test_what_the_page_measures_is_measured(tmp_path, cache):
    done, cases = session(tmp_path, file_of("test_speed.py"))
    assert done.returncode == 0, done.stdout
    assert set(cases) == {"test_product", "test_training_step", "test_program"}


@pytest.mark.exhaustive
def test_what_the_page_holds_is_not_slower(tmp_path, cache):
    """Six processes of three seconds."""
    _, cases = session(tmp_path, file_of("test_certain.py"))
    assert outcome(cases["test_new_is_not_slower"])[0] in ("passed", "skipped")
