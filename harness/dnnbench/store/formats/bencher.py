"""Bencher's metric format (BMF): what `bencher run --adapter json` takes.

Source: https://bencher.dev/docs/reference/bencher-metric-format and its schema,
https://bencher.dev/bmf.json: benchmark -> measure -> value, lower_value, upper_value. The built-in
measure `latency` is in nanoseconds, `throughput` in operations a second.
"""

from typing import Any

from .timed import Row, TimedRun, cell_name

NANOSECONDS = 1e9
LONGEST_NAME = 1024
"""Characters of a benchmark's name."""


def document(timed: TimedRun) -> dict[str, Any]:
    """Latency and throughput of each timed cell, with the ends of their 95 % intervals."""
    return {cell_name(cell)[:LONGEST_NAME]: _measures(cell) for cell in timed.cells}


def _measures(cell: Row) -> dict[str, dict[str, float]]:
    call_s, low, high = (cell.get(name) for name in ("call_s", "call_s_low", "call_s_high"))
    latency = {"value": call_s, "lower_value": low, "upper_value": high}
    measures = {
        "latency": {name: NANOSECONDS * s for name, s in latency.items() if s is not None},
        "throughput": {
            name: 1 / s
            for name, s in {"value": call_s, "lower_value": high, "upper_value": low}.items()
            if s is not None
        },
    }
    if cell.get("peak_rss_bytes"):
        measures["peak-resident-bytes"] = {"value": float(cell["peak_rss_bytes"])}
    return measures
