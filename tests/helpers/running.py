"""The command line run on a tiny network, by tests that need a run as a user meets it."""

import os
import subprocess
import sys
import time
from pathlib import Path

from dnnbench.store.store import open_store

THIRD_PARTY = Path(__file__).parents[1] / "third_party"
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
FAST = ("--threads", "1", "--max-time", "1s", "--generations", "1", "--wait")


def environment():
    return os.environ | {"PYTHONPATH": str(THIRD_PARTY)}


def dnnbench(place, *arguments, patch=""):
    """Run a command line in `place`; `patch` is Python run before it."""
    code = f"import sys\n{patch}\nfrom dnnbench.cli.main import main\nsys.exit(main())"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=place, env=environment(), capture_output=True, text=True, timeout=300)


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
