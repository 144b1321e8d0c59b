"""A pytest session that a test starts does not inherit the options of the one around it."""

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
