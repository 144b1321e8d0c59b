"""Files as pytest-benchmark and asv keep them, a file a night: what an old history is made of."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST_NIGHT = datetime(2025, 3, 1, 2, tzinfo=UTC)
CPU = {"brand_raw": "Example CPU 9000", "count": 8}
RIPPLE = (1.0, 1.003, 0.998, 1.001, 0.997, 1.002, 1.004, 0.999)
"""Around which nights lie: no two are equal."""


def revision_of(night: int) -> str:
    return f"{night:04d}" + "abcd" * 9


def autosaved(folder: Path, levels, first: int = 0, tool: str = "5.3.1", **machine) -> None:
    """What `--benchmark-autosave` writes: a file a night, of two benchmarks.

    levels: by how much each night is slower in the first benchmark.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {"node": "lab", "machine": "x86_64", "system": "Linux", "release": "6.1", "cpu": CPU}
    info = about | {"python_version": "3.11.7"} | machine
    for night, level in enumerate(levels, first):
        begun = FIRST_NIGHT + timedelta(days=night)
        ripple = RIPPLE[night % len(RIPPLE)]
        medians = {
            "test_a.py::test_slow": 2e-5 * level * ripple,
            "test_a.py::test_b": 3e-6 * ripple,
        }
        content = {
            "machine_info": info,
            "commit_info": {"id": revision_of(night), "dirty": False},
            "benchmarks": [
                {"fullname": name, "stats": {"median": median, "iterations": 3}}
                for name, median in medians.items()
            ],
            "datetime": begun.isoformat(),
            "version": tool,
        }
        (folder / f"{night:04d}_{revision_of(night)}.json").write_text(json.dumps(content))


def asv_results(folder: Path, levels, environment: str = "virtualenv-py3.11", **changes) -> None:
    """A folder of results of asv: a file a commit, of one benchmark of one environment."""
    place = folder / "lab"
    place.mkdir(parents=True, exist_ok=True)
    for night, level in enumerate(levels):
        begun = FIRST_NIGHT + timedelta(days=night)
        time_s = 2e-3 * level * RIPPLE[night % len(RIPPLE)]
        content = {
            "commit_hash": revision_of(night),
            "env_name": environment,
            "date": int(begun.timestamp() * 1000),
            "params": {"machine": "lab", "arch": "x86_64", "cpu": "Example", "num_cpu": "8"},
            "python": "3.11",
            "requirements": {},
            "result_columns": ["result", "params", "version"],
            "results": {"suite.time_it": [[time_s], [], "v1"]},
            "version": 2,
        }
        file = place / f"{revision_of(night)[:8]}-{environment}.json"
        file.write_text(json.dumps(content | changes))
