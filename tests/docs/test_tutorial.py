"""The tutorial's package, written from its page into a folder, installed and judged by the conformance kit."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from dnnbench.plugins.catalog import find_workload

PAGE = (Path(__file__).parents[2] / "docs" / "backend_tutorial.md").read_text()
FILES = dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)```", PAGE, re.M | re.S))
KNOWN = {"dense", "dense_without_bias", "dense_on_sequences", "shared_weights", "relu", "relu_at_zero", "tanh", "softmax",
         "softmax_of_sequences", "sgd", "cross_entropy_of_sequences"}  # fmt: skip


def install(folder, **changes):
    """The package and what pip would leave beside it; `changes` replace text in a file by its stem."""
    for path, text in FILES.items():
        for old, new in changes.get(Path(path).stem, {}).items():
            assert old in text
            text = text.replace(old, new)
        (folder / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / path).write_text(text)
    (folder / "abacus_backend" / "__init__.py").touch()
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = "\n".join(f"{name} = {module}" for name, module in project["entry-points"]["dnnbench"].items())
    (info / "entry_points.txt").write_text(f"[dnnbench]\n{entries}\n")
    return folder


def run(folder, *arguments):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        env=env,
        cwd=folder,
        timeout=600,
        check=False,
    )


def test_the_page_holds_a_package_of_about_a_hundred_lines():
    code = [line for path in FILES if path.endswith(".py") for line in FILES[path].splitlines() if line.strip()]
    assert set(FILES) == {"pyproject.toml", *(f"abacus_backend/{name}.py" for name in ("plugin", "ops", "backend"))}
    assert 100 <= len(code) <= 160


def test_it_is_listed(tmp_path):
    assert "Abacus" in run(install(tmp_path), "dnnbench.cli.main", "list", "backends").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "types",
    [
        pytest.param(("--dtype", "float64"), id="float64"),
        pytest.param((), id="as the page has it", marks=pytest.mark.exhaustive),
    ],
)
def test_it_conforms_in_all_it_says_it_can(tmp_path, types):
    judged = run(install(tmp_path), "dnnbench.cli.main", "conformance", "abacus", "--json", *types)
    document = json.loads(judged.stdout)
    [found] = document["backends"]
    assert judged.returncode == 0, judged.stderr
    assert document["conforms"], judged.stderr
    assert {row["case"] for row in found["cases"] if row["status"] == "agrees"} == KNOWN
    assert all(row["reason"] for row in found["cases"] if row["status"] == "unsupported")
    assert {law["status"] for law in found["laws"]} == {"kept"}
    assert len(found["laws"]) >= 12


@pytest.mark.slow
def test_a_check_asks_it_for_no_other_optimizer_than_it_has(tmp_path):
    """Every check trains with an optimizer of the other family too; abacus has none, and says so."""
    digits = find_workload("mlp_digits").model_dump(mode="json")
    digits["task"]["optimizer"] = {"kind": "sgd", "learning_rate": 0.1}
    (install(tmp_path) / "digits.json").write_text(json.dumps(digits))
    done = run(tmp_path, "dnnbench.cli.main", "check", "digits.json", "--backend", "abacus", "--json")
    rows = json.loads(done.stdout)["agreement"]
    assert done.returncode == 0, done.stderr
    assert all(row["ok"] for row in rows), done.stderr
    assert {row["optimizer"] for row in rows if row["kind"].startswith("weights@")} == {"sgd"}
    refused = [row for row in rows if row["kind"] == "unsupported optimizer"]
    assert {(row["optimizer"], row["reason"]) for row in refused} == {
        ("adam", "abacus learns by plain cross-entropy and plain SGD")
    }


@pytest.mark.slow
def test_the_mistake_that_the_page_proposes_is_found(tmp_path):
    folder = install(tmp_path, ops={"g * (x > 0)": "g * (x >= 0)"})
    done = run(folder, "dnnbench.cli.main", "conformance", "abacus", "--dtype", "float64", "-k", "relu")
    assert done.returncode == 1
    wrong = [line for line in done.stderr.splitlines() if "times the allowance" in line]
    assert wrong, done.stderr
    assert all("relu_at_zero float64 gradient" in line for line in wrong), done.stderr


@pytest.mark.slow
def test_pytest_judges_it_too(tmp_path):
    options = [
        "--pyargs",
        "dnnbench.testing",
        "--backend",
        "abacus",
        "-k",
        "softmax and float64",
        "-p",
        "no:cacheprovider",
    ]
    done = run(install(tmp_path), "pytest", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 2 skipped" in done.stdout, done.stdout + done.stderr
