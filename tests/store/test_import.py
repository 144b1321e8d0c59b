"""`dnnbench import`: what pytest-benchmark and asv recorded, written here by the tools themselves
or in their documented form.
"""

import json
import subprocess
import sys

import pytest
from dnnbench.cli.main import main
from dnnbench.store.store import open_store
from helpers.pytest_sessions import run_pytest

BENCHMARKS = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_sum(benchmark, n):
    benchmark.pedantic(lambda: sum(range(1000 * n)), rounds=7, iterations=3)
"""
COMMIT = "0123456789" * 4
ASV = {
    "commit_hash": COMMIT,
    "env_name": "virtualenv-py3.11-numpy",
    "date": 1_700_000_000_000,
    "params": {"machine": "lab", "arch": "x86_64", "cpu": "Example 9000", "num_cpu": "8"},
    "python": "3.11",
    "requirements": {"numpy": "1.26"},
    "env_vars": {},
    "result_columns": [
        "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b",
        "stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples",
    ],
    "results": {
        "suite.time_sort": [
            [0.25, None, float("nan")], [["10", "20", "30"]], "v1", 1, 2.0, [0.2], [0.3], [0.24],
            [0.26], [4], [3], [[0.24, 0.25, 0.26]],
        ],
        "suite.time_plain": [[0.5], [], "v2"],
        "suite.mem_list": [[1000], [], "v3"],
        "suite.time_gone": None,
    },
    "durations": {},
    "version": 2,
}  # fmt: skip
DESCRIBED = {
    "suite.time_sort": {"name": "suite.time_sort", "unit": "seconds"},
    "suite.time_plain": {"name": "suite.time_plain", "unit": "seconds"},
    "suite.mem_list": {"name": "suite.mem_list", "unit": "bytes"},
    "version": 2,
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A file of pytest-benchmark's own, with every round."""
    folder = tmp_path_factory.mktemp("pytest_benchmark")
    (folder / "test_them.py").write_text(BENCHMARKS)
    done = run_pytest(folder, "-q", "--benchmark-json=out.json", "test_them.py")
    assert done.returncode == 0, done.stdout
    return folder / "out.json"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def brought_in(capsys, *files):
    assert main(["import", *map(str, files), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["runs"]


def read(run_id):
    with open_store("results/dnnbench.sqlite", create=False) as store:
        (cells, runs) = store.cells(run_id), store.runs(run_id)
        return runs.iloc[0], cells, store.samples(cells["cell_id"])


def test_every_round_of_pytest_benchmark_is_kept(here, recorded, capsys):
    (row,) = brought_in(capsys, recorded)
    run, cells, samples = read(row["run_id"])
    document = json.loads(recorded.read_text())
    written = {b["fullname"]: b["stats"] for b in document["benchmarks"]}
    assert run["created"][:19] == document["datetime"][:19]
    assert set(cells["workload"]) == set(written)
    for cell in cells.itertuples():
        visits = samples[samples["cell_id"] == cell.cell_id]
        assert (visits["seconds"] / visits["k"]).tolist() == pytest.approx(
            written[cell.workload]["data"]
        )
        assert set(visits["k"]) == {3}


def test_without_rounds_the_median_stands_for_them(here, recorded, capsys):
    document = json.loads(recorded.read_text())
    for benchmark in document["benchmarks"]:
        del benchmark["stats"]["data"]
    (here / "short.json").write_text(json.dumps(document))
    (row,) = brought_in(capsys, "short.json")
    run, _, samples = read(row["run_id"])
    medians = [b["stats"]["median"] for b in document["benchmarks"]]
    assert sorted(samples["seconds"] / samples["k"]) == pytest.approx(sorted(medians))
    assert "of 2 benchmarks the median alone was stored" in run["settings"]["notes"]


def asv_folder(folder, results=ASV):
    place = folder / "results/lab"
    place.mkdir(parents=True)
    (place / "machine.json").write_text(json.dumps({"machine": "lab", "version": 1}))
    (folder / "results/benchmarks.json").write_text(json.dumps(DESCRIBED))
    (place / f"{COMMIT[:8]}-virtualenv-py3.11-numpy.json").write_text(json.dumps(results))
    return folder / "results"


def test_times_of_asv_are_kept_by_benchmark_and_parameter(here, capsys):
    (row,) = brought_in(capsys, asv_folder(here))
    run, cells, samples = read(row["run_id"])
    assert list(cells["workload"]) == ["suite.time_sort(10)", "suite.time_plain"]
    assert row["left_out"] == {
        "suite.mem_list": "it is no time",
        "suite.time_gone": "it has no result",
    }
    assert run["revision"] == COMMIT
    assert run["machine_label"] == "lab"
    assert run["versions"] == {"python": "3.11", "numpy": "1.26"}
    sort, plain = (samples[samples["cell_id"] == cell] for cell in cells["cell_id"])
    assert (sort["seconds"] / sort["k"]).tolist() == pytest.approx([0.24, 0.25, 0.26])
    assert set(sort["k"]) == {4}
    assert plain["seconds"].tolist() == [0.5]


@pytest.mark.slow
def test_what_asv_itself_saves_is_read(here, capsys):
    """By asv's own writer."""
    source = f"""if True:
        import datetime
        from asv.results import Results
        from asv.runner import BenchmarkResult
        machine = dict(machine="lab", arch="x86_64", cpu="c", num_cpu="2", os="l", ram="1")
        results = Results(machine, {{}}, {COMMIT!r}, 1700000000000, "3.11", "env", {{}})
        benchmark = {{"name": "suite.time_it", "version": "1", "params": [["1", "2"]]}}
        result = BenchmarkResult(
            result=[0.5, 0.75], samples=[[0.5, 0.6], [0.7, 0.8]], number=[2, 3],
            errcode=0, stderr="", profile=None,
        )
        now = datetime.datetime.now(datetime.UTC)
        results.add_result(benchmark, result, now, 1.0, record_samples=True)
        results.save("results")
    """
    subprocess.run([sys.executable, "-c", source], cwd=here, check=True)
    (here / "results/lab/machine.json").write_text('{"machine": "lab", "version": 1}')
    (row,) = brought_in(capsys, "results")
    _, cells, samples = read(row["run_id"])
    assert list(cells["workload"]) == ["suite.time_it(1)", "suite.time_it(2)"]
    assert sorted(samples["seconds"] / samples["k"]) == pytest.approx([0.5, 0.6, 0.7, 0.8])


def test_a_file_twice_is_one_run(here, recorded, capsys):
    (first,) = brought_in(capsys, recorded)
    (again,) = brought_in(capsys, recorded)
    assert again["run_id"] == first["run_id"]
    assert (first["added"], again["added"]) == (True, False)


def test_what_an_interruption_left_half_is_recorded_anew(here, recorded, capsys):
    (first,) = brought_in(capsys, recorded)
    with open_store("results/dnnbench.sqlite") as store:
        store.resume_run(first["run_id"])
    (again,) = brought_in(capsys, recorded)
    assert again["added"]
    run, _, samples = read(first["run_id"])
    assert run["status"] == "complete"
    assert len(samples) == 14


@pytest.mark.parametrize("words", [("runs", "show", "latest"), ("runs", "list"), ("report",)])
def test_an_imported_run_is_shown_as_any_other(here, recorded, capsys, words):
    brought_in(capsys, recorded)
    assert main(list(words)) == 0
    told = capsys.readouterr()
    assert "Traceback" not in told.err


def test_a_list_of_runs_says_which_tool_an_imported_one_is_from(here, recorded, capsys):
    brought_in(capsys, recorded)
    assert main(["runs", "list"]) == 0
    assert "imported: pytest-benchmark" in capsys.readouterr().out


def test_imported_runs_get_no_verdict(here, recorded, capsys):
    """One process gives no interval."""
    document = json.loads(recorded.read_text())
    for benchmark in document["benchmarks"]:
        benchmark["stats"]["data"] = [2 * s for s in benchmark["stats"]["data"]]
    (here / "slow.json").write_text(json.dumps(document))
    rows = brought_in(capsys, recorded, "slow.json")
    assert main(["compare", *(row["run_id"] for row in rows), "--fail-on", "5%"]) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is damaged: not JSON"),
        ("", "is damaged: not JSON"),
        ("[1]", "got a JSON list"),
        ('{"a": 1}', "got an object with the keys 'a'"),
        ('{"benchmarks": [], "machine_info": {}}', "datetime: missing"),
        ('{"benchmarks": [], "machine_info": {}, "datetime": "2020-01-01"}', "it lists none"),
        (
            '{"benchmarks": [{"fullname": "t", "stats": {"median": "x"}}], "machine_info": {},'
            ' "datetime": "2020-01-01"}',
            "benchmarks[0].stats.median",
        ),
        (
            '{"benchmarks": [{"fullname": "t", "stats": {"median": NaN}}], "machine_info": {},'
            ' "datetime": "2020-01-01"}',
            "benchmarks[0].stats.median",
        ),
        (
            '{"benchmarks": [{"fullname": "t", "stats": {"median": 0}}], "machine_info": {},'
            ' "datetime": "0001-01-01"}',
            "expected a date of 1970 to 9000",
        ),
        (
            '{"benchmarks": [{"fullname": "t", "stats": {"median": 0}}], "machine_info": {},'
            ' "datetime": "2020-01-01"}',
            "a round took 0 s",
        ),
        ('{"commit_hash": "a", "results": {}, "version": 1}', "asv update"),
        ('{"commit_hash": "a", "results": {"time_a": 3}, "version": 2}', "results.time_a"),
    ],
)
def test_a_damaged_file_is_told_without_a_traceback(here, capsys, content, said):
    (here / "old.json").write_text(content)
    assert main(["import", "old.json"]) == 2
    told = capsys.readouterr().err
    assert "import: old.json" in told
    assert said in told
    assert "Traceback" not in told


def test_a_damaged_file_costs_no_other(here, recorded, capsys):
    folder = here / "kept"
    folder.mkdir()
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_bytes(recorded.read_bytes())
    assert main(["import", "kept", "none.json"]) == 2
    told = capsys.readouterr()
    assert "1 run with 2 benchmarks added" in told.out
    assert "kept/a.json is damaged" in told.err
    assert "none.json cannot be read: No such file" in told.err


def test_an_empty_folder_is_told(here, capsys):
    (here / "empty").mkdir()
    assert main(["import", "empty"]) == 2
    assert "empty holds no .json file" in capsys.readouterr().err
    assert not (here / "results").exists()
