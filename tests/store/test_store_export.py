"""What leaves a store: CSV, JSON and what pytest-benchmark reads."""

import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from dnnbench.errors import StoreError, UsageError
from dnnbench.store.columns import FRAMES
from dnnbench.store.export import export
from dnnbench.store.formats.pytest_benchmark import statistics
from helpers import storing


def _summary(store, run_id):
    cells = store.cells(run_id)["cell_id"]
    return pd.DataFrame(
        {"cell_id": cells[:3], "call_s": [1e-3, np.nan, 3e-3], "verdict": ["SAME", None, None]}
    )


def _export(store, run_id, format):
    out = io.StringIO()
    export(store, run_id, format, _summary(store, run_id), out)
    return out.getvalue()


def test_csv_has_every_cell_with_its_statistics(store):
    storing.add_everything(store, "r1")
    read = pd.read_csv(io.StringIO(_export(store, "r1", "csv")))
    assert list(read.columns) == [*FRAMES["cells"], "call_s", "verdict"]
    assert read["arm"].tolist() == store.cells("r1")["arm"].tolist()
    np.testing.assert_array_equal(read["call_s"], [1e-3, np.nan, 3e-3, np.nan, np.nan])
    assert json.loads(read["versions"][0]) == {"torch": "2.13.0"}


def test_json_is_strict_and_complete(store):
    storing.add_everything(store, "r1", label="night")

    def refuse(constant):
        raise AssertionError(constant)

    document = json.loads(_export(store, "r1", "json"), parse_constant=refuse)
    assert document["schema_version"] == 1
    assert document["run"]["label"] == "night"
    assert document["run"]["settings"] == {"precision": 0.01}
    assert document["machine"]["facts"] == {"cpu": "A", "cores": 2}
    assert document["units"]["call_s"] == "s"
    assert [cell["call_s"] for cell in document["cells"]] == [1e-3, None, 3e-3, None, None]
    assert document["cells"][0]["flops"] is None
    assert document["cells"][1]["flops"] == 2**61
    assert [len(document[name]) for name in ("first_calls", "agreement", "epochs")] == [1, 1, 1]


def test_pytest_benchmark_itself_reads_the_export(store, tmp_path):
    storing.add_everything(store, "r1")
    file = tmp_path / "0001_run.json"
    file.write_text(_export(store, "r1", "pytest-benchmark"))
    table = tmp_path / "table.csv"
    options = [
        "--group-by",
        "param:phase",
        "--columns",
        "min,median,max,rounds,iterations",
        "--sort",
        "name",
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest_benchmark",
            "compare",
            str(file),
            "--csv",
            str(table),
            *options,
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    read = pd.read_csv(table).set_index("name")
    assert "Failed to load" not in done.stderr
    cells = store.cells("r1")
    assert len(read) == len(cells)
    for cell in cells.itertuples():
        if cell.phase == "control":
            continue
        name = f"dnnbench::{cell.phase}[mlp_digits-64-{cell.arm}]"
        visits = store.samples(cell.cell_id)
        per_call_s = (visits["seconds"] / visits["k"]).to_numpy()
        expected = [per_call_s.min(), np.median(per_call_s), per_call_s.max(), 40, 3]
        shown = read.loc[name, ["min", "median", "max", "rounds", "iterations"]]
        np.testing.assert_allclose(shown.astype(float), expected, rtol=1e-12)
        assert f"{cell.phase}[mlp_digits-64-{cell.arm}]" in done.stdout


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 30, 31, 32, 33])
def test_statistics_are_those_of_pytest_benchmark(count):
    from pytest_benchmark.stats import Stats

    data = np.random.default_rng(count).lognormal(size=count)
    theirs = Stats()
    for value in data:
        theirs.update(float(value))
    ours = statistics(data)
    assert set(Stats.fields) <= set(ours)
    assert ours.pop("outliers") == theirs.outliers
    for field in ours.keys() - {"data"}:
        assert ours[field] == pytest.approx(getattr(theirs, field), rel=1e-12), field


@pytest.mark.parametrize(
    ("format", "summary", "kind", "said"),
    [
        ("xml", {"cell_id": []}, UsageError, "csv, json, parquet, pytest-benchmark"),
        ("csv", {"cell_id": [], "median": []}, StoreError, "'median'"),
        ("csv", {"call_s": []}, StoreError, "expected cell_id"),
        ("csv", {"cell_id": ["a", "a"]}, StoreError, "once each"),
        ("pytest-benchmark", {"cell_id": []}, StoreError, "no timed cell"),
    ],
)
def test_bad_exports_say_why(store, format, summary, kind, said):
    storing.add_run(store, "r1")
    with pytest.raises(kind) as refusal:
        export(store, "r1", format, pd.DataFrame(summary, dtype=object), io.StringIO())
    assert said in str(refusal.value)
