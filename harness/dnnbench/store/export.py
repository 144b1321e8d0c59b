"""One run as a file for other tools: CSV, JSON, Parquet, or what a tool of the field reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from dnnbench.store.columns import COLUMNS, FRAMES, OBJECT
from dnnbench.store.formats import asv, bencher, github_action, openmetrics
from dnnbench.store.formats.pytest_benchmark import document
from dnnbench.store.formats.timed import TimedRun, timed_run
from dnnbench.store.frames import records
from dnnbench.store.identity import canonical_json
from dnnbench.store.store import Store

from ..errors import StoreError, UsageError
from ..wording import one_line

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for a formula in a cell of a CSV file, quoted or not;
the wide forms too.
"""
JSON_VERSION = 1
"""Version of the JSON document's shape; it grows when a key changes its meaning or goes away."""


def export(store: Store, run_id: str, format: str, summary: "pd.DataFrame", out: TextIO) -> None:
    """Write a run to `out` in one of FORMATS; of `parquet` its bytes.

    summary: statistics of the cells, columns of the `summary` frame, cell_id required;
    cells without a row get empty statistics. pytest-benchmark's own statistics come
    from all visits as stored, none dropped. Raises UsageError for another format,
    StoreError for a summary that does not fit, or nothing to export.
    """
    if format not in FORMATS:
        raise UsageError(f"export: got format {format!r}, expected one of {', '.join(FORMATS)}")
    _check_summary(summary)
    FORMATS[format](store, run_id, summary, out)


def export_folder(store: Store, run_id: str, summary: "pd.DataFrame", folder: Path) -> None:
    """Write a run into a folder of asv's results.

    Raises StoreError for a summary that does not fit, a run of no commit, nothing to export, and a
    folder that cannot be written.
    """
    _check_summary(summary)
    timed = _timed(store, run_id, summary)
    asv.write_folder(timed, _call_s(store, timed), folder)


def _call_s(store: Store, timed: TimedRun) -> Mapping[str, "np.ndarray"]:
    """Seconds a call of every visit, by cell_id."""
    samples = store.samples([cell["cell_id"] for cell in timed.cells])
    call_s = samples["seconds"] / samples["k"]
    return {str(cell): rows.to_numpy() for cell, rows in call_s.groupby(samples["cell_id"])}


def _check_summary(summary: "pd.DataFrame") -> None:
    strange = [name for name in summary.columns if name not in FRAMES["summary"]]
    if strange or "cell_id" not in summary.columns or summary["cell_id"].duplicated().any():
        raise StoreError(
            f"export: got a summary with columns {list(summary.columns)}; "
            f"expected cell_id, once each, and any of {', '.join(FRAMES['summary'][1:])}"
        )


def _cells(store: Store, run_id: str, summary: "pd.DataFrame") -> "pd.DataFrame":
    cells = store.cells(run_id)
    if cells.empty:
        raise StoreError(f"store {store.place}: run {run_id!r} has no cells to export")
    return cells.merge(summary, on="cell_id", how="left")


def _write_csv(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    cells = _cells(store, run_id, summary)
    cells["versions"] = cells["versions"].map(canonical_json)
    for name in cells.columns[[COLUMNS[name].dtype == OBJECT for name in cells.columns]]:
        cells[name] = cells[name].map(_no_formula, na_action="ignore")
    cells.to_csv(out, index=False, lineterminator="\n")


def _write_parquet(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    cells = _cells(store, run_id, summary)
    cells["versions"] = cells["versions"].map(canonical_json)
    try:
        cells.to_parquet(out.buffer, engine="pyarrow", index=False)
    except ImportError:
        raise UsageError("export: parquet needs pip install 'dnnbench[parquet]'") from None


def _no_formula(text: str) -> str:
    """A text that a spreadsheet does not run: with `'` before what would begin a formula,
    what a terminal obeys escaped.
    """
    shown = one_line(text)
    return f"'{shown}" if text.startswith(FORMULA_STARTS) else shown


def _write_json(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    cells = _cells(store, run_id, summary)
    (run,) = records(store.runs(run_id))
    _dump(
        {
            "schema_version": JSON_VERSION,
            "run": run,
            "machine": _machine(store, run["machine_id"]),
            "units": {name: COLUMNS[name].unit for name in cells.columns if COLUMNS[name].unit},
            "cells": records(cells),
            "first_calls": records(store.first_calls(run_id)),
            "agreement": records(store.agreement(run_id)),
            "epochs": records(store.epochs(run_id)),
        },
        out,
    )


def _write_pytest_benchmark(
    store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO
) -> None:
    cells = _cells(store, run_id, summary)
    (run,) = records(store.runs(run_id))
    machine = _machine(store, run["machine_id"])
    made = document(run, machine, records(cells), store.samples(cells["cell_id"]))
    _dump({"schema_version": JSON_VERSION} | made, out)


def _timed(store: Store, run_id: str, summary: "pd.DataFrame") -> TimedRun:
    (run,) = records(store.runs(run_id))
    cells = records(_cells(store, run_id, summary))
    return timed_run(run, _machine(store, run["machine_id"]), cells)


def _write_smaller(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    _dump(github_action.smaller_is_better(_timed(store, run_id, summary)), out)


def _write_bigger(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    _dump(github_action.bigger_is_better(_timed(store, run_id, summary)), out)


def _write_bencher(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    _dump(bencher.document(_timed(store, run_id, summary)), out)


def _write_openmetrics(store: Store, run_id: str, summary: "pd.DataFrame", out: TextIO) -> None:
    out.write(openmetrics.text(_timed(store, run_id, summary)))


def _machine(store: Store, machine_id: str) -> dict[str, Any]:
    machines = store.machines()
    (machine,) = records(machines[machines["machine_id"] == machine_id])
    return machine


def _dump(document: dict[str, Any] | list[dict[str, Any]], out: TextIO) -> None:
    json.dump(document, out, indent=2, allow_nan=False)
    out.write("\n")


FORMATS = {
    "csv": _write_csv,
    "json": _write_json,
    "parquet": _write_parquet,
    "pytest-benchmark": _write_pytest_benchmark,
    "customSmallerIsBetter": _write_smaller,
    "customBiggerIsBetter": _write_bigger,
    "bencher": _write_bencher,
    "openmetrics": _write_openmetrics,
}
"""By the name that the user gives; github-action-benchmark's are those of its input `tool`."""
