"""Assertions in real pytest sessions, each over six fresh processes, of functions whose truth is
known: equal ones, and one that does a tenth more.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dnnbench.host.machine import cpu_signature
from dnnbench.testing.in_process import SideVisit
from dnnbench.testing.not_slower import Outcome, judged

FILE = Path(__file__).parent / "recordings.jsonl"
BY = 0.05
SECONDS = 0.3
"""Of visits in each process: short, so that many assertions can be counted."""
KEPT = "ALARMS_KEPT"
"""Variable with the folder that a session writes the visits of its assertions into."""
TESTS = f'''
import json
import os
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from dnnbench.testing import not_slower

SMALL = np.ones((48, 48), np.float32)
LARGE = np.ones((64, 4096), np.float32)
judged = not_slower.judged


def kept(measured, by):
    """The rule, with the visits that it is asked about written down."""
    name = os.environ["PYTEST_CURRENT_TEST"].partition("[")[2].partition("]")[0]
    rows = [[astuple(visit) for visit in one] for one in measured]
    Path(os.environ["{KEPT}"], name + ".json").write_text(json.dumps(rows))
    return judged(measured, by)


not_slower.judged = kept


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
    assert_not_slower(again(call, times), than=again(call, 20), by="{BY:.0%}", seconds={SECONDS})
'''


@dataclass(frozen=True)
class Recording:
    """An assertion: the function, by how much f does more, and the visits of every process."""

    function: str
    extra: float
    date: str
    processor: str
    visits: list[list[SideVisit]]

    def outcome(self, all_rounds: bool) -> Outcome:
        """What the rule says of it.  all_rounds: with contended rounds kept."""
        chosen = [
            [replace(visit, flags=0) if all_rounds else visit for visit in one]
            for one in self.visits
        ]
        return judged(chosen, BY).outcome


def read(path: Path) -> list[Recording]:
    """Every assertion that was recorded."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [_of_row(json.loads(line)) for line in lines]


def _of_row(row: dict) -> Recording:
    visits = [[SideVisit(*visit) for visit in one] for one in row["visits"]]
    return Recording(**row | {"visits": visits})


def record(count: int, path: Path, say: Callable[[str], None]) -> list[Recording]:
    """So many assertions more, each kept as soon as its session ends; all that are recorded."""
    taken = 0
    while taken < count:
        new = _session()
        taken += len(new)
        append(path, new)
        for each in new:
            outcomes = f"{each.outcome(False)}; {each.outcome(True)} with all rounds"
            say(f"{each.function} +{each.extra:.0%}: {outcomes}")
    return read(path)


def append(path: Path, recordings: Iterable[Recording]) -> None:
    """A line for each."""
    with path.open("a") as file:
        file.writelines(json.dumps(_row(each)) + "\n" for each in recordings)


def _row(recording: Recording) -> dict:
    """Seconds to 4 digits: what is judged lies far above."""
    visits = [
        [(*astuple(visit)[:4], float(f"{visit.seconds:.4g}"), visit.flags) for visit in one]
        for one in recording.visits
    ]
    return {**vars(recording), "visits": visits}


def _session() -> list[Recording]:
    """Six assertions: three functions, equal and with a tenth more work."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_truth.py").write_text(TESTS)
        words = ["-q", "-p", "no:cacheprovider", "test_truth.py"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=folder,
            env=os.environ | {KEPT: name},
            capture_output=True,
            text=True,
        )
        files = sorted(folder.glob("*-*.json"))
        if not files:
            raise SystemExit(f"nothing was measured:\n{done.stdout}")
        return [_recording(file) for file in files]


def _recording(file: Path) -> Recording:
    extra, function = file.stem.split("-")
    return Recording(
        function,
        0.1 if extra == "more" else 0.0,
        f"{datetime.now(UTC):%Y-%m-%d}",
        cpu_signature() or "unknown",
        [[SideVisit(*visit) for visit in one] for one in json.loads(file.read_text())],
    )
