"""`dnnbench run`, `check`, `predict` and `train` with a third party's backend that only infers."""

import json
import re

import pytest
from dnnbench.agreement.reference_files import load_reference
from dnnbench.data.dataset import load
from dnnbench.execution.checking import check_requests, ensure_references, reference_path
from dnnbench.execution.weights_file import save_weights
from dnnbench.spec.files import read_workload
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.store.store import open_store
from helpers.running import FAST, TINY, dnnbench

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.slow]
REASON = "answers has no gradients"
TRAINING = ("forward", "loss", "gradients", "train_step", "loss_alone", "update_alone")
ONE_TYPE = ("--dtype", "float64", "--json")


@pytest.fixture(scope="module")
def place(tmp_path_factory, cache):
    """A working directory with a tiny workload in it, and weights for it that nobody
    starts from.
    """
    folder = tmp_path_factory.mktemp("inference")
    (folder / "tiny.toml").write_text(TINY)
    workload = read_workload(folder / "tiny.toml")
    save_weights(
        folder / "given.safetensors", workload, initial_weights(workload.model, seed=7), {}
    )
    return folder


@pytest.fixture(scope="module")
def measured(place):
    """A run of NumPy and the backend that only infers, as its store has it:
    (output, cells, agreement).
    """
    done = dnnbench(
        place,
        "run",
        "tiny.toml",
        "--backend",
        "numpy,answers",
        "--weights",
        "given.safetensors",
        "--details",
        *FAST,
    )
    assert done.returncode == 0, done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run = store.find_run("latest")
        cells = {(row.arm, row.phase): row for row in store.cells(run).itertuples()}
        return done, cells, store.agreement(run)


def test_its_inference_is_timed(measured):
    _, cells, _ = measured
    assert cells["answers:right", "infer"].status == "ok"


@pytest.mark.parametrize("phase", TRAINING)
def test_its_missing_phases_are_unsupported_with_its_reason(measured, phase):
    _, cells, _ = measured
    cell = cells["answers:right", phase]
    assert (cell.status, cell.reason) == ("unsupported", REASON)


@pytest.mark.parametrize("phase", ["infer", *TRAINING])
def test_the_others_are_timed_in_every_phase(measured, phase):
    _, cells, _ = measured
    assert cells["numpy:eager", phase].status == "ok"


def test_the_tables_say_why_a_phase_is_missing(measured):
    done, _, _ = measured
    assert re.search(
        rf"answers:right \([^)]*train_step[^)]*\): {REASON}", " ".join(done.stdout.split())
    )


def test_its_way_to_the_first_inference_is_shown(measured):
    done, _, _ = measured
    lines = done.stdout.split("To the first result")[1].splitlines()
    assert any("infer" in line and "answers:right" in line for line in lines)


def test_it_is_checked_from_initial_and_from_given_weights(measured):
    _, _, agreement = measured
    rows = agreement[(agreement.arm == "answers:right") & (agreement.dtype == "float32")]
    statuses = dict(zip(rows.kind, rows.status, strict=True))
    assert statuses == {
        "outputs": "agrees",
        "outputs@far": "agrees",
        "outputs@initial": "agrees",
        "outputs@weights": "agrees",
        "unsupported phases": "unsupported",
    } | {kind: "agrees" for kind in statuses if kind.startswith("prediction")}


@pytest.mark.exhaustive  # it is checked from given weights above
def test_a_backend_that_ignores_given_weights_is_found(place):
    """A check does not start from the initial ones either."""
    asked = ("--weights", "given.safetensors", "--phase", "infer", "--json", *FAST)
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy,answers:initial", *asked)
    rows = [row for row in json.loads(done.stdout)["agreement"] if row["arm"] == "answers:initial"]
    assert {row["kind"] for row in rows if not row["ok"]} == {
        "outputs",
        "outputs@far",
        "outputs@weights",
    }


def test_to_time_inference_alone_calls_no_training_phase(place):
    done = dnnbench(
        place,
        "run",
        "tiny.toml",
        "--backend",
        "numpy,answers:reluctant",
        "--phase",
        "infer",
        "--json",
        *FAST,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {cell["status"] for cell in document["cells"]} == {"ok"}
    assert {row["kind"] for row in document["agreement"]} == {"outputs", "outputs@far"}


def test_a_check_of_inference_alone_calls_no_training_phase(place):
    done = dnnbench(
        place, "check", "tiny.toml", "--backend", "answers:reluctant", "--phase", "infer", *ONE_TYPE
    )
    assert done.returncode == 0, done.stderr


def test_a_check_of_everything_calls_them(place):
    done = dnnbench(place, "check", "tiny.toml", "--backend", "answers:reluctant", *ONE_TYPE)
    [row] = json.loads(done.stdout)["agreement"]
    assert "a training phase was called" in row["reason"]


def test_the_reference_of_inference_alone_holds_nothing_else(place):
    workload = read_workload(place / "tiny.toml")
    [request] = check_requests(workload, load(workload), 0, (Phase.INFER,))
    ensure_references([request])
    keys = load_reference(reference_path(request)).tensors
    assert {phase for key in keys for phase in key.phases} == {Phase.INFER}


def test_a_check_tells_what_is_missing(place):
    done = dnnbench(place, "check", "tiny.toml", "--backend", "answers", *ONE_TYPE)
    rows = {row["kind"]: row for row in json.loads(done.stdout)["agreement"]}
    phases = "forward, loss, gradients, train_step, loss_alone, update_alone"
    assert rows["unsupported phases"]["reason"] == f"{REASON} ({phases})"


def test_a_check_of_what_is_not_offered_checks_nothing(place):
    done = dnnbench(place, "check", "tiny.toml", "--backend", "answers", "--phase", "loss")
    assert done.returncode == 4
    assert REASON in done.stderr


def test_a_wrong_answer_is_found(place):
    done = dnnbench(place, "check", "tiny.toml", "--backend", "answers:wrong", *ONE_TYPE)
    assert done.returncode == 1
    assert {
        row["kind"] for row in json.loads(done.stdout)["agreement"] if row["status"] == "differs"
    } == {"outputs", "outputs@far", "outputs@initial"}


def test_its_wrong_answer_is_explained(place):
    done = dnnbench(
        place, "check", "tiny.toml", "--backend", "answers:wrong", "--explain", *ONE_TYPE
    )
    [explanation] = json.loads(done.stdout)["explanations"]
    assert "error" not in explanation, explanation


def test_it_predicts(place):
    done = dnnbench(
        place,
        "predict",
        "tiny.toml",
        "--backend",
        "answers",
        "--weights",
        "given.safetensors",
        "--json",
    )
    assert done.returncode == 0, done.stderr


def test_it_is_not_trained_and_says_why(place):
    done = dnnbench(place, "train", "tiny.toml", "--backend", "answers", "--threads", "1")
    assert done.returncode != 0
    assert f"unsupported: {REASON}" in done.stderr


def test_beside_an_arm_that_trains_it_is_unsupported_and_no_failure(place):
    asked = ("--backend", "numpy,answers", "--threads", "1", "--epochs", "1", "--json")
    done = dnnbench(place, "train", "tiny.toml", *asked)
    assert done.returncode == 0, done.stderr
    courses = {course["arm"]: course for course in json.loads(done.stdout)["courses"]}
    told = courses["answers:right"]
    assert (told["unsupported"], told["failure"], told["epochs"]) == (REASON, "", [])
