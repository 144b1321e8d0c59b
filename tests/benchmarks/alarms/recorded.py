"""Assertions in real pytest sessions, each over six fresh processes, of functions whose truth is
known: equal ones, and one that does a tenth more.
"""

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from dnnbench.host.machine import cpu_signature
from dnnbench.testing.not_slower import PROPERTY, Outcome

FILE = Path(__file__).parent / "recordings.jsonl"
BY = "5%"
SECONDS = 0.3
"""Of visits in each process: short, so that many assertions can be counted."""
TESTS = f'''
import numpy as np
import pytest

SMALL = np.ones((48, 48), np.float32)
LARGE = np.ones((64, 4096), np.float32)


def product():
    return SMALL @ SMALL


def total():
    return LARGE.sum(axis=0)


def words():
    return sorted(str(number) for number in range(300))


def again(call, times):
    def repeated():
        for _ in range(times):
            call()
    return repeated


@pytest.mark.parametrize("call", [product, total, words], ids=lambda call: call.__name__)
@pytest.mark.parametrize("times", [20, 22], ids=["equal", "more"])
def test_truth(assert_not_slower, call, times):
    assert_not_slower(again(call, times), than=again(call, 20), by="{BY}", seconds={SECONDS})
'''


@dataclass(frozen=True)
class Recording:
    """An assertion: the function, by how much f does more, and what the assertion came to."""

    function: str
    extra: float
    outcome: Outcome
    sentence: str
    date: str
    processor: str


def read(path: Path) -> list[Recording]:
    """Every assertion that was recorded."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return [Recording(**row | {"outcome": Outcome(row["outcome"])}) for row in rows]


def record(count: int, path: Path, say: Callable[[str], None]) -> list[Recording]:
    """So many assertions more, each kept as soon as its session ends; all that are recorded."""
    taken = 0
    while taken < count:
        new = _session()
        taken += len(new)
        with path.open("a") as file:
            file.writelines(json.dumps(asdict(each)) + "\n" for each in new)
        for each in new:
            say(f"{each.function} +{each.extra:.0%}: {each.outcome}: {each.sentence}")
    return read(path)


def _session() -> list[Recording]:
    """Six assertions: three functions, equal and with a tenth more work."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_truth.py").write_text(TESTS)
        words = ["-q", "-p", "no:cacheprovider", "--junitxml=out.xml", "test_truth.py"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words], cwd=folder, capture_output=True, text=True
        )
        cases = ET.parse(folder / "out.xml").getroot().iter("testcase")
        return [_recording(case, done.stdout) for case in cases]


def _recording(case: ET.Element, output: str) -> Recording:
    said = [p.get("value") for p in case.iter("property") if p.get("name") == PROPERTY]
    if not said:
        raise SystemExit(f"{case.get('name')} measured nothing:\n{output}")
    outcome, _, sentence = said[0].partition(": ")
    extra, function = case.get("name").removeprefix("test_truth[").removesuffix("]").split("-")
    return Recording(
        function,
        0.1 if extra == "more" else 0.0,
        Outcome(outcome),
        sentence,
        f"{datetime.now(UTC):%Y-%m-%d}",
        cpu_signature() or "unknown",
    )
