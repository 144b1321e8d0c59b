"""pytest sessions of their own, and what each of their tests came to."""

import subprocess
import sys
import xml.etree.ElementTree as ET


def session(folder, text, *words):
    """A session on one file: the process that ended, and each test's case in JUnit's XML."""
    (folder / "test_mine.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    options = ["--junitxml=out.xml", "-o", "junit_family=xunit1"]
    done = subprocess.run(
        [*command, *options, *words, "test_mine.py"], cwd=folder, capture_output=True, text=True
    )
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
