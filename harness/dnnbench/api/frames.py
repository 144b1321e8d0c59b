"""Frames as a caller gets them: the columns of the store's, without the run's own."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..spec.units import EXAMPLES, Unit

if TYPE_CHECKING:
    import pandas as pd

PLACE = ["workload", "batch_size", "phase", "arm"]
"""What names a cell to a reader."""
CELLS = [
    "run_id", *PLACE, "status", "call_s", "call_s_low", "call_s_high",
    "examples_per_s", "units_per_s", "unit",
    "base", "ratio", "ratio_low", "ratio_high", "verdict", "verdict_reason", "reason",
    "smallest_difference", "peak_rss_bytes", "peak_device_bytes", "flops", "bytes",
    "backend", "mode", "environment", "device", "dtype", "threads",
    "generations", "visits", "rounds_dropped", "no_steady_state", "calls", "spec_hash", "cell_id",
]  # fmt: skip
SAMPLES = [
    "run_id", *PLACE, "generation", "round", "position", "calls", "seconds", "call_s",
    "flags", "cell_id",
]  # fmt: skip


def cells_frame(cells: "pd.DataFrame", units: Mapping[str, Unit]) -> "pd.DataFrame":
    """Frame `cells` joined with `summary`, and examples a second: batch size / seconds a call.

    units: of each workload; `unit` is tokens, images or examples, `units_per_s` as many of it.
    """
    of_cell = [units.get(workload, EXAMPLES) for workload in cells["workload"]]
    examples_per_s = cells["batch_size"] / cells["call_s"]
    return cells.assign(
        examples_per_s=examples_per_s,
        units_per_s=examples_per_s * [unit.each for unit in of_cell],
        unit=[unit.name for unit in of_cell],
    )[CELLS]


def samples_frame(cells: "pd.DataFrame", visits: "pd.DataFrame") -> "pd.DataFrame":
    """Frame `samples` with what names the cell of each visit, and seconds a call."""
    named = visits.merge(cells[["run_id", *PLACE, "cell_id"]], on="cell_id", how="left")
    named = named.rename(columns={"k": "calls"})
    return named.assign(call_s=named["seconds"] / named["calls"])[SAMPLES]


def machine_frame(machine: Mapping[str, Any]) -> "pd.DataFrame":
    """A row a fact, nested ones by dotted names: `hardware.cpu_model`."""
    import pandas as pd

    rows = [{"machine_id": machine["machine_id"], "fact": name, "value": value}
            for name, value in _facts(machine, "") if name != "machine_id"]  # fmt: skip
    return pd.DataFrame(rows, columns=["machine_id", "fact", "value"])


def _facts(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, inner in value.items():
        yield from _facts(inner, f"{name}.{key}" if name and name != "facts" else str(key))
