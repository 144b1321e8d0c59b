"""One gate, as a user types it."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from dnnbench.host.clock import now
from dnnbench.host.machine import cpu_signature

from .recordings import Cell, GateRecord

WORKLOADS = ("mlp_digits",)
INTERRUPTED = 130


def gate(project: Path, commits: str, share: float, max_time: str) -> GateRecord:
    """Run it in the project; SystemExit with what it said where it left no document."""
    words = [sys.executable, "-m", "dnnbench.cli.main", *command(commits, max_time)]
    load, began = os.getloadavg()[0], now()
    with tempfile.TemporaryDirectory() as place:
        words += ["--store", f"{place}/gate.sqlite"]
        done = subprocess.run(words, cwd=project, capture_output=True, text=True)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"no gate of {commits} (exit code {done.returncode}):\n{done.stderr}")
    document = json.loads(done.stdout)
    return GateRecord(
        share=share,
        commits=commits,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        processor=cpu_signature() or "unknown",
        max_time=max_time,
        load=round(load, 1),
        seconds=round(now() - began, 1),
        exit_code=done.returncode,
        outcome=document["outcome"],
        cells=[_cell(cell) for cell in document["cells"]],
    )


def command(commits: str, max_time: str) -> list[str]:
    """Of dnnbench, without the store."""
    options = ["--threads", "1", "--max-time", max_time, "--wait", "--json"]
    return ["gate", *WORKLOADS, "--git", commits, *options]


def _cell(cell: dict) -> Cell:
    confirmed, sees = cell["confirm"], cell["smallest_difference"]
    return Cell(
        workload=cell["workload"],
        phase=cell["phase"],
        screen=round(cell["screen"]["value"], 4),
        confirmed=confirmed and round(confirmed["value"], 4),
        sees=sees and round(sees, 4),
        outcome=cell["outcome"],
    )
