"""The JSON document that pytest-benchmark stores, made from a run.

Seconds are those of one call.
"""

from typing import TYPE_CHECKING, Any

from ...errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FORMAT_VERSION = "5.0.0"
"""The release of pytest-benchmark whose storage format this is; later ones read it."""

PARAMS = ("workload", "arm", "backend", "mode", "device", "dtype", "threads", "batch_size", "phase")
EXTRA = (
    "cell_id", "arm_key", "flops", "bytes", "peak_rss_bytes", "peak_device_bytes", "unequal",
    "call_s", "call_s_low", "call_s_high", "base", "ratio", "ratio_low", "ratio_high", "verdict",
)  # fmt: skip
TUKEY = 1.5


def document(
    run: dict[str, Any],
    machine: dict[str, Any],
    cells: list[dict[str, Any]],
    samples: "pd.DataFrame",
) -> dict[str, Any]:
    """What `pytest-benchmark compare` reads: one benchmark for each cell that has visits."""
    visits = dict(iter(samples.groupby("cell_id", sort=False)))
    timed = [cell for cell in cells if cell["cell_id"] in visits]
    if not timed:
        raise StoreError(
            f"export: run {run['run_id']} has no timed cell, and that format needs one"
        )
    return {
        "machine_info": _machine_info(machine),
        "commit_info": {
            "id": run["revision"] or "unversioned",
            "time": run["created"],
            "author_time": None,
            "dirty": False,
            "project": "dnnbench",
            "branch": "(unknown)",
        },
        "benchmarks": [_benchmark(cell, visits[cell["cell_id"]]) for cell in timed],
        "datetime": run["created"],
        "version": FORMAT_VERSION,
    }


def _machine_info(machine: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = machine["facts"]
    return facts | {"node": machine["machine_label"] or machine["host_hash"]}


def _benchmark(cell: dict[str, Any], visits: "pd.DataFrame") -> dict[str, Any]:
    per_call_s = (visits["seconds"] / visits["k"]).to_numpy()
    variant = "-".join(str(cell[name]) for name in ("workload", "batch_size", "arm") if cell[name])
    name = f"{cell['phase']}[{variant}]"
    return {
        "group": " ".join([cell["workload"], f"batch {cell['batch_size']}", cell["phase"]]).strip(),
        "name": name,
        "fullname": f"dnnbench::{name}",
        "params": {key: cell[key] for key in PARAMS},
        "param": variant,
        "extra_info": {key: cell.get(key) for key in EXTRA},
        "options": {},
        "stats": statistics(per_call_s) | {"iterations": int(visits["k"].median())},
    }


def statistics(data: "np.ndarray") -> dict[str, Any]:
    """pytest-benchmark's statistics of at least one sample, in seconds.

    Its quartiles are Hazen's.
    """
    import numpy as np

    q1, median, q3 = (
        float(value) for value in np.quantile(data, (0.25, 0.5, 0.75), method="hazen")
    )
    mean = float(np.mean(data))
    # pytest-benchmark gives 0 for one sample, too.
    stddev = float(np.std(data, ddof=1)) if len(data) > 1 else 0.0
    low, high = q1 - TUKEY * (q3 - q1), q3 + TUKEY * (q3 - q1)
    beyond_stddev = int(np.sum(np.abs(data - mean) > stddev))
    beyond_fences = int(np.sum((data < low) | (data > high)))
    return {
        "min": float(np.min(data)),
        "max": float(np.max(data)),
        "mean": mean,
        "stddev": stddev,
        "rounds": len(data),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_fences,
        "stddev_outliers": beyond_stddev,
        "outliers": f"{beyond_stddev};{beyond_fences}",
        "ld15iqr": float(np.min(data[data >= low])),
        "hd15iqr": float(np.max(data[data <= high])),
        "ops": float(1 / mean) if mean else 0.0,
        "total": float(np.sum(data)),
        "data": data.tolist(),
    }
