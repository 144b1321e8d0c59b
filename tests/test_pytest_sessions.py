"""A pytest session that a test starts does not inherit the options of the one around it; in this
one, tests that share what their file makes run in one process.
"""

import pytest
from helpers.pytest_sessions import outcome, properties, session

SEEN = """
import os

def test_it(record_property):
    for name in sorted(os.environ):
        record_property(name, os.environ[name])
"""
OUTER = {
    "PYTEST_ADDOPTS": "--collect-only --junitxml=other.xml",
    "PYTEST_XDIST_WORKER": "gw0",
    "PYTEST_XDIST_WORKER_COUNT": "2",
    "PYTEST_XDIST_TESTRUNUID": "aaaa",
    "FORCE_COLOR": "1",
}


def test_variables_of_the_session_around_it_are_dropped(tmp_path, monkeypatch):
    for name, value in OUTER.items():
        monkeypatch.setenv(name, value)
    done, cases = session(tmp_path, SEEN)
    assert outcome(cases["test_it"]) == ("passed", "")
    seen = properties(cases["test_it"])
    assert seen["PYTEST_CURRENT_TEST"] == "test_mine.py::test_it (call)"
    assert [name for name in OUTER if name.startswith("PYTEST_") and name in seen] == []
    assert "\x1b" not in done.stdout


def test_variables_that_the_test_sets_are_kept(tmp_path):
    _, cases = session(tmp_path, SEEN, PYTEST_XDIST_WORKER_COUNT="4")
    assert properties(cases["test_it"])["PYTEST_XDIST_WORKER_COUNT"] == "4"


@pytest.fixture(scope="module")
def made_once():
    return object()


def group_of(request):
    mark = request.node.get_closest_marker("xdist_group")
    return mark and mark.args[0]


def test_tests_that_share_what_their_file_makes_are_one_group(made_once, request):
    assert group_of(request) == "test_pytest_sessions"


def test_other_tests_are_parted(tmp_path, request):
    assert group_of(request) is None
