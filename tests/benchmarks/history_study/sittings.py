"""Runs of unchanged code over sittings, and what they show.

`python -m history_study.sittings STORE` keeps the runs of a store whose label is `sitting-N`.

All were made by one command, and lie minutes apart within a sitting.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dnnbench.stats.change_limits import LEAST_POINTS, limit_of
from dnnbench.store.store import Store, open_store
from dnnbench.track.spread import histories_of

from .nightly import looks
from .recorded_parts import parts_of

FILE = Path(__file__).with_name("sittings.json")
LABEL = "sitting-"
DIGITS = 5


@dataclass(frozen=True)
class Sat:
    """A run.  cells: log times of every cell over the run's control, one a generation."""

    run: str
    sitting: int
    machine: str
    cells: Mapping[str, list[float]]


def main() -> None:
    """Keep what a store has."""
    parser = argparse.ArgumentParser(prog="history_study.sittings", description=__doc__)
    parser.add_argument("store", type=Path)
    with open_store(parser.parse_args().store, create=False) as store:
        kept = [asdict(sat) for sat in _of_store(store)]
    FILE.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{len(kept)} runs")


def read(path: Path = FILE) -> list[Sat]:
    """In the order in which they were made."""
    return [Sat(**row) for row in json.loads(path.read_text())] if path.exists() else []


def rows(runs: list[Sat]) -> list[dict[str, Any]]:
    """Of every cell that all runs have: its parts, and at which runs, by their numbers from 1, the
    rule reports a change, if it looks after every run and all cells are one history.
    """
    sitting = np.array([run.sitting for run in runs])
    days = len({run.run[:8] for run in runs})
    cells = [cell for cell in runs[0].cells if all(cell in run.cells for run in runs)]
    limit = limit_of(len(cells))
    table = []
    for cell in cells:
        logs = [run.cells[cell] for run in runs]
        alarms = looks(np.array([[np.mean(one) for one in logs]])).alarms(limit)[0]
        table.append(
            asdict(parts_of(runs[0].machine, cell, logs, sitting, days))
            | {
                "looks": len(runs) - LEAST_POINTS + 1,
                "reported": [int(place) + 1 for place in np.flatnonzero(alarms)],
            }
        )
    return table


def _of_store(store: Store) -> list[Sat]:
    runs = store.runs()
    runs = runs[runs["label"].str.startswith(LABEL, na=False) & (runs["status"] == "complete")]
    cells: dict[str, dict[str, list[float]]] = {run: {} for run in runs["run_id"]}
    for shared, history in histories_of(store, cells).items():
        for run, logs in history.items():
            cells[run][_name(shared)] = [round(log, DIGITS) for log in logs]
    return [
        Sat(row.run_id, int(row.label.removeprefix(LABEL)), row.machine_class, cells[row.run_id])
        for row in runs.itertuples()
    ]


def _name(shared: tuple[Any, ...]) -> str:
    workload, _, arm, _, phase, *_ = shared
    return f"{json.loads(arm)['backend']}, {workload} {phase}"


if __name__ == "__main__":
    main()
