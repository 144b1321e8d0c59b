"""`dnnbench export` as other tools read it."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas
import pytest
from dnnbench.cli.main import main
from dnnbench.store.columns import FRAMES
from dnnbench.store.store import open_store
from helpers import reporting

pytestmark = pytest.mark.slow

PYTEST_BENCHMARK = (
    shutil.which("pytest-benchmark", path=str(Path(sys.executable).parent)) or "pytest-benchmark"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "runs.sqlite"
    with open_store(path) as opened:
        reporting.add_run(opened, "first", label="before", workloads=("mlp_digits",))
        reporting.add_run(
            opened, "second", label="after", seed=1, slower=1.2, workloads=("mlp_digits",)
        )
    return path


def export(store, *words):
    return main(["export", *map(str, words), "--store", str(store)])


def test_pytest_benchmark_itself_compares_two_exports(store, tmp_path, capsys):
    for run, name in (("before", "0001_before.json"), ("after", "0002_after.json")):
        assert (
            export(store, run, "--format", "pytest-benchmark", "-o", tmp_path / "kept" / name) == 0
        )
        assert capsys.readouterr().out == ""
    files = sorted(str(path) for path in (tmp_path / "kept").iterdir())
    line = [
        PYTEST_BENCHMARK,
        "compare",
        *files,
        "--columns=median,rounds",
        "--sort=name",
        "--group-by=name",
    ]
    read = subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    lines = [
        line.split()
        for line in read.stdout.splitlines()
        if line.startswith("train_step[mlp_digits-64-jax:jit]")
    ]
    before, after = ([word for word in words if word[0].isdigit()] for words in lines)
    assert 1.1 < float(after[0]) / float(before[0]) < 1.3
    assert int(before[-1]) == 3 * 24


def test_csv_has_the_columns_of_cells_and_summary(store, capsys):
    assert export(store, "latest", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == FRAMES["cells"] + FRAMES["summary"][1:]
    timed = [row for row in rows if row["phase"] == "infer" and row["arm"] == "jax:jit"]
    assert len(timed) == 1
    assert float(timed[0]["ratio"]) == pytest.approx(0.5, rel=0.02)


def test_parquet_is_read_as_the_same_cells_with_their_types(store, tmp_path):
    path = tmp_path / "run.parquet"
    assert export(store, "first", "--format", "parquet", "-o", path) == 0
    cells = pandas.read_parquet(path)
    assert tuple(cells.columns) == FRAMES["cells"] + FRAMES["summary"][1:]
    assert cells["call_s"].dtype == "float64"
    (ratio,) = cells[(cells["phase"] == "infer") & (cells["arm"] == "jax:jit")]["ratio"]
    assert ratio == pytest.approx(0.5, rel=0.02)


def test_parquet_without_its_library_says_what_to_install(store):
    """In a process of its own: pandas decides as it is imported what it finds."""
    words = ["export", "first", "--format", "parquet", "--store", str(store)]
    source = f"""if True:
        import sys
        sys.modules["pyarrow"] = None
        from dnnbench.cli.main import main
        sys.exit(main({words}))
    """
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert done.returncode == 2
    assert "parquet needs pip install 'dnnbench[parquet]'" in done.stderr


@pytest.mark.parametrize(
    "words", [("--json",), ("--format", "json"), ("--format", "json", "--json")]
)
def test_json_has_a_schema_version(store, capsys, words):
    assert export(store, "first", *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 1
    assert told["run"]["run_id"] == "first"
    assert sum(cell["call_s"] is not None for cell in told["cells"]) == 28


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("zz",), "no run has id"),
        (("first", "--format", "xml"), "xml"),
        (("first", "--format", "csv", "--json"), "two formats"),
        (("first", "-o", "."), "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_said_without_a_traceback(store, capsys, words, said):
    assert export(store, *words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
