"""Runs in the files of other tools, read by those tools where they run here."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from dnnbench.cli.main import main
from dnnbench.store.schema import RUN
from dnnbench.store.store import open_store
from helpers import reporting
from sqlalchemy import update

pytestmark = pytest.mark.slow

ARMS = {"torch:eager": 1.0, "jax:jit": 0.5}
SECONDS = {"infer": 1e-3, "train_step": 4e-3}
BMF = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "type": "object",
            "properties": {
                name: {"type": "number"} for name in ("value", "lower_value", "upper_value")
            },
            "required": ["value"],
            "additionalProperties": False,
        },
    },
}
"""Stricter than https://bencher.dev/bmf.json, which lets other keys pass."""
GITHUB = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "unit": {"type": "string"},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
}
"""As the README of github-action-benchmark describes both of its custom lists."""


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A git repository of two commits, and a store with a run of each."""
    folder = tmp_path_factory.mktemp("project")
    git(folder, "init", "-q", "-b", "main")
    with open_store(folder / "runs.sqlite") as store:
        for seed, (run_id, slower) in enumerate({"first": 1.0, "second": 1.25}.items()):
            git(folder, "commit", "-q", "--allow-empty", "-m", run_id)
            reporting.add_run(
                store, run_id, seed=seed, slower=slower, arms=ARMS, seconds=SECONDS, rounds=12
            )
            revision = git(folder, "rev-parse", "HEAD")
            this = RUN.c.run_id == run_id
            store.write(
                lambda c, r=revision, t=this: c.execute(update(RUN).where(t).values(revision=r))
            )
    return folder


def exported(project, form, *options, run="first"):
    words = ["export", run, "--format", form, "--store", str(project / "runs.sqlite"), *options]
    return main(words)


def document(project, capsys, form, run="first"):
    assert exported(project, form, run=run) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("form", "unit", "value"),
    [("customSmallerIsBetter", "us", 1000.0), ("customBiggerIsBetter", "examples/s", 64_000.0)],
)
def test_github_action_benchmark_gets_a_list_a_tool(project, capsys, form, unit, value):
    entries = document(project, capsys, form)
    jsonschema.validate(entries, GITHUB)
    (entry,) = (e for e in entries if e["name"] == "mlp_digits/64 infer torch:eager")
    assert entry["unit"] == unit
    assert entry["value"] == pytest.approx(value, rel=0.05)
    assert float(entry["range"].removeprefix("± ")) < 0.1 * value


def test_names_are_the_same_in_every_run(project, capsys):
    """A history joins by name."""
    first, second = (document(project, capsys, "bencher", run) for run in ("first", "second"))
    assert list(first) == list(second)


def test_bencher_gets_its_metric_format_in_its_units(project, capsys):
    metrics = document(project, capsys, "bencher")
    jsonschema.validate(metrics, BMF)
    cell = metrics["mlp_digits/64 infer torch:eager"]
    latency = cell["latency"]
    assert latency["value"] == pytest.approx(1e6, rel=0.05), "nanoseconds"
    assert latency["lower_value"] < latency["value"] < latency["upper_value"]
    assert cell["throughput"]["value"] == pytest.approx(1e9 / latency["value"])
    assert cell["throughput"]["lower_value"] == pytest.approx(1e9 / latency["upper_value"])


def test_the_parser_of_prometheus_reads_the_openmetrics(project, capsys):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    assert exported(project, "openmetrics") == 0
    families = {f.name: f for f in text_string_to_metric_families(capsys.readouterr().out)}
    (run,) = families["dnnbench_run"].samples
    assert run.labels["run_id"] == "first"
    assert families["dnnbench_call_seconds"].unit == "seconds"
    labels = {"workload": "mlp_digits", "phase": "infer", "arm": "jax:jit"}
    (call,) = (
        s.value
        for s in families["dnnbench_call_seconds"].samples
        if labels.items() <= s.labels.items()
    )
    (ratio,) = (
        s.value
        for s in families["dnnbench_time_ratio"].samples
        if labels.items() <= s.labels.items()
    )
    assert call == pytest.approx(5e-4, rel=0.05)
    assert ratio == pytest.approx(0.5, rel=0.05)


def test_a_label_of_openmetrics_is_escaped(tmp_path, capsys):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    hostile = 'a"b\\c\nd'
    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(
            store, "r", workloads=(hostile,), arms={"torch:eager": 1.0}, seconds={"infer": 1e-3}
        )
    assert (
        main(["export", "r", "--format", "openmetrics", "--store", str(tmp_path / "s.sqlite")]) == 0
    )
    families = {f.name: f for f in text_string_to_metric_families(capsys.readouterr().out)}
    (sample,) = families["dnnbench_call_seconds"].samples
    assert sample.labels["workload"] == hostile


def test_json_is_as_its_schema_says(project, capsys):
    run = document(project, capsys, "json")
    assert main(["schema", "run"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(run, schema)
    del run["cells"][0]["call_s"]
    with pytest.raises(jsonschema.ValidationError, match="'call_s' is a required property"):
        jsonschema.validate(run, schema)


@pytest.fixture(scope="module")
def results(project):
    """Both runs in a folder of asv's."""
    folder = project / "results"
    for run in ("first", "second"):
        assert exported(project, "asv", "-o", str(folder), run=run) == 0
    return folder


def asv(project, *words):
    """asv itself, on the folder of both runs."""
    settings = {
        "version": 1,
        "project": "mine",
        "repo": ".",
        "branches": ["main"],
        "results_dir": "results",
        "html_dir": "html",
    }
    (project / "asv.conf.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "asv", *words], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipping" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_asv_itself_publishes_the_folder(project, results):
    asv(project, "publish", "--no-pull")
    index = json.loads((project / "html/index.json").read_text())
    benchmark = index["benchmarks"]["dnnbench.mlp_digits.infer"]
    assert benchmark["param_names"] == ["batch_size", "arm"]
    graphs = [
        json.loads(path.read_text())
        for path in (project / "html/graphs").rglob("dnnbench.mlp_digits.infer.json")
        if "summary" not in path.parts
    ]
    ((_, first), (_, second)) = graphs[0]
    place = benchmark["params"][1].index("'torch:eager'")
    assert second[place] / first[place] == pytest.approx(1.25, rel=0.05)


@pytest.mark.slow
def test_asv_itself_compares_two_commits(project, results):
    table = asv(project, "compare", "--machine", "machine_m1", "--factor", "1.1", "HEAD~1", "HEAD")
    (row,) = (line for line in table.splitlines() if "mlp_digits.infer(64, 'torch:eager')" in line)
    change, _before, _after, ratio = [cell.strip() for cell in row.split("|")[1:5]]
    assert change == "+"
    assert float(ratio) == pytest.approx(1.25, rel=0.05)


def test_a_folder_of_asv_keeps_what_it_holds(results, project):
    before = {path: path.read_text() for path in results.rglob("*-dnnbench.json")}
    assert len(before) == 2
    for path, text in before.items():
        content = json.loads(text)
        content["results"]["time_mine"] = [[1.0], [], "1"]
        path.write_text(json.dumps(content))
    assert exported(project, "asv", "-o", str(results)) == 0
    for path in before:
        assert "time_mine" in json.loads(path.read_text())["results"]


def test_asv_gets_no_run_of_no_commit(tmp_path, capsys):
    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(store, "r", arms=ARMS, seconds=SECONDS, rounds=6)
    words = ["export", "r", "--format", "asv", "--store", str(tmp_path / "s.sqlite")]
    assert main([*words, "-o", str(tmp_path / "results")]) == 2
    assert "measured no commit, and asv keeps results by commit" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
    assert main(words) == 2
    assert "writes a folder; name it with -o" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_folder_of_something_else_is_left_as_it_is(project, tmp_path, capsys, content):
    (tmp_path / "benchmarks.json").write_text(content)
    assert exported(project, "asv", "-o", str(tmp_path)) == 2
    assert "is no file of asv's" in capsys.readouterr().err
    assert (tmp_path / "benchmarks.json").read_text() == content


@pytest.mark.parametrize(
    "form", ["customSmallerIsBetter", "customBiggerIsBetter", "bencher", "openmetrics", "asv"]
)
def test_a_run_without_a_time_is_refused(tmp_path, capsys, form):
    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(store, "r", arms=ARMS, seconds=SECONDS, generations=0)
    out = Path(tmp_path) / "out"
    words = ["export", "r", "--format", form, "--store", str(tmp_path / "s.sqlite")]
    assert main([*words, "-o", str(out)]) == 2
    assert "has no timed cell, and that format needs one" in capsys.readouterr().err
