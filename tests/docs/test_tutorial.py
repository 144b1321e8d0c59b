"""The tutorial's packages, written from its page into folders, installed and judged
by the conformance kit.
"""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from dnnbench.plugins.catalog import find_workload
from helpers import running
from helpers.pytest_sessions import run_pytest

PAGE = (Path(__file__).parents[2] / "docs" / "backend_tutorial.md").read_text()
FILES = dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)```", PAGE, re.M | re.S))
PROJECT = FILES["pyproject.toml"]
ABACUS = {"dense", "dense_without_bias", "dense_on_sequences", "shared_weights", "relu",
          "relu_at_zero", "tanh", "softmax", "softmax_of_sequences", "sgd",
          "cross_entropy_of_sequences", "dense_of_many_weights"}  # fmt: skip
KITE = ABACUS | {
    "dense_transposed",
    "momentum",
    "dropout",
    "batch_norm",
    "batch_norm_unbiased",
    "conv2d_same_strided",
}
KITE_BUT_FOR_THE_STEP = {"nesterov", "rmsprop", "adam", "adamw", "clipped"}
SLATE = {
    "dense",
    "relu",
    "softmax",
    "batch_norm",
    "adam",
    "mse",
    "bce_with_logits",
    "cross_entropy_ignoring",
    "dropout",
}
LAWS_OF_MASKS = ("masks_are_drawn_as_they_are_meant", "masks_keep_their_share")
TRAINING = "slate serves networks that others have trained"
PACKAGES = [
    pytest.param(name, marks=pytest.mark.exhaustive) for name in ("abacus", "kite", "slate")
]
"""Half a minute each: often, the kit judges other backends in tests/testing, and abacus's softmax
and relu below.
"""
pytestmark = pytest.mark.xdist_group("tutorial")  # the kit judges each package once


def files_of(name):
    return {path: text for path, text in FILES.items() if path.startswith(f"{name}_backend/")}


def install(folder, name, **changes):
    """The package and what pip would leave beside it.

    `changes` replace text in a file by its stem.
    """
    package = folder / f"{name}_backend"
    package.mkdir()
    (package / "__init__.py").touch()
    for path, text in files_of(name).items():
        for old, new in changes.get(Path(path).stem, {}).items():
            assert old in text
            text = text.replace(old, new)
        (folder / path).write_text(text)
    project = tomllib.loads(PROJECT.replace("abacus", name))["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    entries = "\n".join(
        f"{entry} = {module}" for entry, module in project["entry-points"]["dnnbench"].items()
    )
    (info / "entry_points.txt").write_text(f"[dnnbench]\n{entries}\n")
    return folder


def path_with(folder):
    """Python's, on which the package in `folder` is found."""
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])


def dnnbench(folder, *arguments):
    return running.dnnbench(folder, *arguments, limit_s=600, PYTHONPATH=path_with(folder))


def judged(folder, name, *options):
    """(the command as it ended, what it found of the backend)"""
    done = dnnbench(folder, "conformance", name, "--json", *options)
    [backend] = json.loads(done.stdout)["backends"]
    return done, backend


@pytest.fixture(scope="module")
def abacus(tmp_path_factory):
    return judged(
        install(tmp_path_factory.mktemp("abacus"), "abacus"), "abacus", "--dtype", "float64"
    )


@pytest.fixture(scope="module")
def kite(tmp_path_factory):
    folder = install(tmp_path_factory.mktemp("kite"), "kite")
    return judged(folder, "kite", "--dtype", "float64")


@pytest.fixture(scope="module")
def slate(tmp_path_factory):
    folder = install(tmp_path_factory.mktemp("slate"), "slate")
    return judged(folder, "slate", "--dtype", "float64")


def cases(backend, side, status):
    return {
        row["case"] for row in backend["cases"] if (row["side"], row["status"]) == (side, status)
    }


def test_the_page_holds_three_packages():
    names = ("plugin", "ops", "backend")
    packages = {
        f"{package}_backend/{name}.py" for package in ("abacus", "kite", "slate") for name in names
    }
    assert set(FILES) == {"pyproject.toml", *packages}


@pytest.mark.parametrize(
    ("name", "least", "most"), [("abacus", 100, 170), ("kite", 150, 185), ("slate", 60, 80)]
)
def test_a_package_is_as_short_as_the_page_says(name, least, most):
    code = [line for text in files_of(name).values() for line in text.splitlines() if line.strip()]
    assert least <= len(code) <= most


def test_it_is_listed(tmp_path):
    assert "Abacus" in dnnbench(install(tmp_path, "abacus"), "list", "backends").stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_it_conforms_in_all_it_says_it_can(name, request):
    done, _ = request.getfixturevalue(name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_what_it_leaves_out_has_a_reason(name, request):
    _, backend = request.getfixturevalue(name)
    assert all(row["reason"] for row in backend["cases"] if row["status"] == "unsupported")


@pytest.mark.exhaustive
def test_abacus_conforms_as_the_page_has_it(tmp_path):
    done, _ = judged(install(tmp_path, "abacus"), "abacus")
    assert done.returncode == 0, done.stderr


@pytest.mark.exhaustive
def test_abacus_computes_what_it_says(abacus):
    _, backend = abacus
    assert cases(backend, "gradient", "agrees") == ABACUS


@pytest.mark.parametrize("name", PACKAGES[:2])
def test_one_that_trains_keeps_every_law(name, request):
    """But those of masks, whose networks have ops that it lacks."""
    _, backend = request.getfixturevalue(name)
    others = {law["law"]: law["status"] for law in backend["laws"] if law["status"] != "kept"}
    assert others == dict.fromkeys(LAWS_OF_MASKS, "unsupported")


@pytest.mark.exhaustive
def test_kite_computes_what_the_page_shows(kite):
    _, backend = kite
    assert cases(backend, "gradient", "agrees") >= KITE


@pytest.mark.exhaustive
def test_kite_agrees_in_gradients_where_it_lacks_the_update(kite):
    _, backend = kite
    rows = [
        row for row in backend["cases"] if row["side"] == "gradient" and row["status"] == "agrees"
    ]
    assert {
        row["case"] for row in rows if "train_step: kite has no" in row["without"]
    } >= KITE_BUT_FOR_THE_STEP


@pytest.mark.exhaustive
def test_slate_agrees_in_what_it_infers(slate):
    _, backend = slate
    assert cases(backend, "forward", "agrees") >= SLATE


@pytest.mark.exhaustive
def test_slate_is_asked_for_no_gradient(slate):
    _, backend = slate
    assert cases(backend, "gradient", "agrees") == set()


@pytest.mark.exhaustive
def test_slate_says_why_it_has_no_gradient(slate):
    _, backend = slate
    reasons = {row["case"]: row["reason"] for row in backend["cases"] if row["side"] == "gradient"}
    assert {case: reasons[case] for case in SLATE} == dict.fromkeys(SLATE, TRAINING)


@pytest.mark.exhaustive
def test_slate_keeps_the_laws_of_inference(slate):
    _, backend = slate
    kept = {law["law"] for law in backend["laws"] if law["status"] == "kept"}
    assert kept >= {
        "put_does_not_alias",
        "wait_means_done",
        "load_reaches_inference",
        "closing_gives_memory_back",
    }


@pytest.mark.exhaustive
def test_no_law_of_inference_is_broken_by_slate(slate):
    _, backend = slate
    assert {law["status"] for law in backend["laws"]} == {"kept", "unsupported"}


@pytest.mark.slow
def test_a_check_asks_it_for_no_other_optimizer_than_it_has(tmp_path):
    """Every check trains with an optimizer of the other family too.

    Abacus has none, and says so.
    """
    digits = find_workload("mlp_digits").model_dump(mode="json")
    digits["task"]["optimizer"] = {"kind": "sgd", "learning_rate": 0.1}
    (install(tmp_path, "abacus") / "digits.json").write_text(json.dumps(digits))
    done = dnnbench(tmp_path, "check", "digits.json", "--backend", "abacus", "--json")
    rows = json.loads(done.stdout)["agreement"]
    assert done.returncode == 0, done.stderr
    assert all(row["ok"] for row in rows)
    assert {row["optimizer"] for row in rows if row["kind"].startswith("weights@")} == {"sgd"}
    refused = [row for row in rows if row["kind"] == "unsupported optimizer"]
    assert {(row["optimizer"], row["reason"]) for row in refused} == {
        ("adam", "abacus learns by plain cross-entropy and plain SGD")
    }


@pytest.mark.slow
def test_the_mistake_that_the_page_proposes_is_found(tmp_path):
    folder = install(tmp_path, "abacus", ops={"g * (x > 0)": "g * (x >= 0)"})
    done = dnnbench(folder, "conformance", "abacus", "--dtype", "float64", "-k", "relu")
    assert done.returncode == 1
    wrong = [line for line in done.stderr.splitlines() if "times the allowance" in line]
    assert wrong
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
    ]
    folder = install(tmp_path, "abacus")
    done = run_pytest(folder, *options, PYTHONPATH=path_with(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 4 skipped" in done.stdout
