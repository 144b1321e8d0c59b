"""pytest sessions of their own, and what each of their tests came to."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET


def environment(**variables):
    """This process's without pytest's own, and with `variables`.

    pytest and xdist set some for each process of the session that the test is part of, and
    PYTEST_ADDOPTS has that session's options.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return own | {"PY_COLORS": "0"} | variables


def run_pytest(folder, *words, **variables):
    """A session in `folder`: the process that ended, and what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def session(folder, text, *words, **variables):
    """A session on one file: the process that ended, and each test's case in JUnit's XML."""
    (folder / "test_mine.py").write_text(text)
    options = ["-q", "--junitxml=out.xml", "-o", "junit_family=xunit1"]
    done = run_pytest(folder, *options, *words, "test_mine.py", **variables)
    cases = ET.parse(folder / "out.xml").getroot().iter("testcase")
    return done, {case.get("name"): case for case in cases}


def properties(case):
    """What a test recorded, by name."""
    return {each.get("name"): each.get("value") for each in case.iter("property")}


def outcome(case):
    """(failure, error, skipped or passed; the message)."""
    for word in ("failure", "error", "skipped"):
        if (part := case.find(word)) is not None:
            return word, part.get("message")
    return "passed", ""
