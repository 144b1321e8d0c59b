"""The command line run on a tiny network, by tests that need a run as a user meets it."""

import atexit
import json
import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dnnbench.store.store import open_store

from .forkserver import PACKAGES, Command, Forkserver

TESTS = Path(__file__).parents[1]
THIRD_PARTY = TESTS / "third_party"
TINY = """
name = "tiny"
batch_size = 4
[model]
name = "tiny"
inputs = [{ name = "x", shape = [6] }]
outputs = ["logits"]
nodes = [
  { name = "hidden", op = { kind = "dense", units = 8 }, inputs = ["x"] },
  { name = "active", op = { kind = "relu" }, inputs = ["hidden"] },
  { name = "logits", op = { kind = "dense", units = 3 }, inputs = ["active"] },
]
[task]
data = { kind = "synthetic", examples = 64 }
"""
WITH_PAGE = ("--threads", "1", "--max-time", "1s", "--generations", "1", "--wait")
FAST = (*WITH_PAGE, "--report", "none")
NEVER_CONTENDED = {"dnnbench.stats.estimates:CONTENDED": 0}
"""A change under which every round counts: the machine that tests run on is never quiet."""


def environment():
    """In which the command line finds the third party's backends, and the tests' stand-ins."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (THIRD_PARTY, TESTS)))}


def command_line(*arguments: str, changes: Mapping[str, Any] | None = None) -> list[str]:
    """dnnbench as a child; `changes` sets attributes of its modules (helpers.changed)."""
    if not changes:
        return [sys.executable, "-m", "dnnbench.cli.main", *arguments]
    return [sys.executable, "-m", "helpers.changed", json.dumps(changes), *arguments]


@cache
def _forkserver(packages: tuple[str, ...]) -> Forkserver:
    server = Forkserver(environment(), packages)
    atexit.register(server.close)
    return server


def dnnbench(place, *arguments, changes=None, limit_s=300, **variables):
    """Run a command line in `place`; TimeoutExpired where it seems to hang.

    variables: of its environment, beside this process's own.
    """
    surroundings = environment() | variables
    command = Command(tuple(map(str, arguments)), str(place), surroundings, dict(changes or {}))
    return _forkserver(() if changes else PACKAGES).run(command, limit_s)


def wait_for_generations(place, count):
    """Until the store holds so many committed generations."""
    store_path = place / "results/dnnbench.sqlite"
    for _ in range(600):
        time.sleep(0.1)
        if store_path.exists():
            with open_store(store_path, create=False) as store:
                if len(store.generations()) >= count:
                    return
    raise AssertionError("the run never committed a generation")


def cells_of(place):
    """(status, reason, visits) by arm and phase of the latest run in `place`."""
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        samples = store.samples(list(cells["cell_id"])).groupby("cell_id").size()
        return {
            (row.arm, row.phase): (row.status, row.reason, int(samples.get(row.cell_id, 0)))
            for row in cells.itertuples()
        }
