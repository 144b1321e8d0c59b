"""`dnnbench train` and `predict` on real digits: every backend learns the same thing,
to the stated target.
"""

import json

import pytest
from dnnbench.agreement.allowances import BUDGET
from dnnbench.execution.first_epoch import steps_to_judge
from dnnbench.execution.training import CurvesApart, Epoch, Figures, TrainingResult, curves_apart
from dnnbench.plugins.catalog import find_workload
from dnnbench.report.outcomes.train import training_sections
from dnnbench.spec.costs import training_step
from dnnbench.store.store import open_store
from helpers.running import dnnbench

ALL = ("--backend", "all", "--threads", "1")
pytestmark = pytest.mark.xdist_group("training")  # weights are trained once


def courses(place, *arguments):
    """Of the arms that train."""
    done = dnnbench(place, "train", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [course for course in json.loads(done.stdout)["courses"] if not course["unsupported"]]


def epochs(found):
    """For each epoch the rows of all arms."""
    assert len({len(course["epochs"]) for course in found}) == 1, "all arms stop at the same epoch"
    return list(zip(*(course["epochs"] for course in found), strict=True))


WHOLE = [pytest.mark.exhaustive, pytest.mark.compiled]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backends", "count", "workload", "target"),
    [
        ("numpy,torch", 2, "mlp_digits", 0.96),
        pytest.param("all", 4, "mlp_digits", 0.96, marks=WHOLE),
        pytest.param("all", 4, "cnn_digits", 0.98, marks=WHOLE),
    ],
)
def test_in_float64_backends_have_one_curve(tmp_path, backends, count, workload, target):
    arms = ("--backend", backends, "--threads", "1", "--dtype", "float64")
    found = courses(tmp_path, workload, *arms)
    assert len(found) >= count
    for rows in epochs(found):
        losses = [row["loss"] for row in rows]
        assert max(losses) - min(losses) <= 1e-9 * max(losses)
        assert len({row["wrong"] for row in rows}) == 1
    assert all(course["reached"] for course in found)
    assert all(course["epochs"][-1]["accuracy"] >= target for course in found)
    judged = [course["first_epoch"] for course in found]
    assert {one["status"] for one in judged} == {"agrees"}
    assert {(one["steps"], one["decided"]) for one in judged} == {(23, 24)}


@pytest.mark.compiled
@pytest.mark.exhaustive
@pytest.mark.parametrize("workload", ["mlp_digits", "cnn_digits"])
def test_in_float32_accuracies_lie_within_three_images(tmp_path, workload):
    found = courses(tmp_path, workload, *ALL)
    assert all(course["reached"] for course in found)
    for rows in zip(*(course["epochs"] for course in found), strict=False):
        wrong = [row["wrong"] for row in rows]
        assert max(wrong) - min(wrong) <= 3


@pytest.mark.parametrize(
    ("examples", "batch", "steps"), [(10, 4, (0, 1, 2, 0)), (8, 4, (0, 1, 0)), (3, 4, (0, 0))]
)
def test_every_step_of_a_cheap_epoch_is_judged_and_one_more(examples, batch, steps):
    assert steps_to_judge(find_workload("mlp_digits"), examples, batch) == steps


def test_of_an_epoch_of_much_work_the_first_steps_are_judged_and_the_last():
    workload = find_workload("cnn_digits")
    places = steps_to_judge(workload, 10**7, 64)
    *first, last, again = places
    assert (first, last, again) == (list(range(len(first))), 10**7 // 64 - 1, 0)
    assert len(places) * training_step(workload, 64).flops <= BUDGET.work_flops


def test_where_three_steps_are_too_much_none_is_judged():
    assert steps_to_judge(find_workload("resnet50"), 1000, 64) == ()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_curve_and_another_seed_another(tmp_path):
    arguments = ("mlp_digits", "--backend", "numpy", "--threads", "1", "--epochs", "3")
    curves = []
    for seed in ("0", "0", "1"):
        done = dnnbench(tmp_path, "train", *arguments, "--seed", seed, "--json")
        assert done.returncode == 1, "three epochs do not reach the target"
        [course] = json.loads(done.stdout)["courses"]
        assert not course["reached"]
        assert len(course["epochs"]) == 3
        curves.append([row["loss"] for row in course["epochs"]])
    assert curves[0] == curves[1] != curves[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with trained weights of the MLP."""
    place = tmp_path_factory.mktemp("trained")
    done = dnnbench(
        place,
        "train",
        "mlp_digits",
        "--backend",
        "numpy",
        "--threads",
        "1",
        "--save",
        "mlp.safetensors",
    )
    assert done.returncode == 0, done.stderr
    assert "target reached" in done.stdout, "one arm has nothing to lie apart from"
    assert "curves" not in done.stdout, "one arm has nothing to lie apart from"
    return place


def course(*losses, test_loss=0.5, wrong=3):
    test = Figures(accuracy=0.9, wrong=wrong, n_test=30, test_loss=test_loss)
    epochs = [Epoch(number, loss, 0.1, test) for number, loss in enumerate(losses, start=1)]
    return TrainingResult("arm", "mlp_digits", "float64", epochs=epochs)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_loss_that_is_not_finite_is_not_near_any_other_wherever_it_stands(place, value):
    losses = [0.5, 0.5, 0.5]
    losses[place] = value
    assert curves_apart([course(1.0, loss) for loss in losses]).loss == INF


def test_nan_beside_nan_counts_as_different():
    assert curves_apart([course(NAN), course(NAN)]).loss == INF


def test_a_test_loss_that_is_not_finite_counts_as_different():
    assert curves_apart([course(0.5), course(0.5, test_loss=NAN)]).test_loss == INF


@pytest.mark.parametrize(
    ("first", "second", "apart"), [(0.0, 0.0, 0.0), (0.0, 0.5, 1.0), (-2.0, 2.0, 2.0)]
)
def test_losses_of_zero_divide_nothing(first, second, apart):
    assert curves_apart([course(first), course(second)]).loss == apart


def test_curves_are_compared_over_the_epochs_that_all_have():
    found = curves_apart([course(1.0, 0.5, 0.25), course(1.0, 0.4, wrong=5), course()])
    assert found == CurvesApart(epochs=2, loss=pytest.approx(0.2), test_loss=0.0, wrong=2)
    assert curves_apart([course(1.0)]) is None


@pytest.mark.parametrize(
    ("second", "apart"), [((1.0, 0.5), 0.0), ((1.0, 0.25), 0.5), ((1.0,), INF), ((1.0, NAN), INF)]
)
def test_every_step_of_the_first_epoch_is_compared(second, apart):
    """A mean over the epoch would hide a step, and a dropped last batch."""
    results = [course(0.75), course(0.75)]
    results[0].first_losses, results[1].first_losses = (1.0, 0.5), second
    assert curves_apart(results).step_loss == apart


def test_train_says_that_curves_differ_where_a_loss_is_not_a_number():
    mlp = find_workload("mlp_digits")
    outcome, _ = training_sections([(mlp, [course(0.5), course(NAN)])])
    said = "curves differ over the 1 epoch that all arms have: a loss is not finite"
    assert outcome.conclusions[1:] == (f"mlp_digits: {said}",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backends", "count"),
    [
        ("numpy,torch", 2),
        pytest.param("all", 4, marks=[pytest.mark.exhaustive, pytest.mark.compiled]),
    ],
)
def test_backends_predict_the_same_classes_with_trained_weights(trained, backends, count):
    arguments = ("--weights", "mlp.safetensors", "--backend", backends, "--threads", "1", "--json")
    done = dnnbench(trained, "predict", "mlp_digits", *arguments)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["differing"] == []
    assert len(document["arms"]) >= count
    assert {arm["accuracy"] >= 0.96 for arm in document["arms"]} == {True}
    assert len({tuple(arm["predictions"]) for arm in document["arms"]}) == 1


@pytest.mark.slow
def test_weights_of_another_network_are_refused_naming_tensors(trained):
    done = dnnbench(
        trained, "predict", "cnn_digits", "--weights", "mlp.safetensors", "--backend", "numpy"
    )
    assert done.returncode == 2
    for words in (
        "mlp_digits",
        "cnn_digits",
        "fc1.weight: file has (64, 128), cnn_digits wants (128, 64)",
        "conv1.bias",
    ):
        assert words in done.stderr


@pytest.mark.slow
def test_a_file_that_holds_no_weights_is_refused(trained):
    (trained / "noise.safetensors").write_bytes(b"not weights at all")
    done = dnnbench(
        trained, "predict", "mlp_digits", "--weights", "noise.safetensors", "--backend", "numpy"
    )
    assert done.returncode == 2
    assert "cannot be read: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_inference_is_timed_with_trained_weights_and_says_so(trained):
    arguments = ("run", "mlp_digits", "--backend", "numpy", "--threads", "1", "--phase", "infer",
                 "--no-check", "--generations", "1", "--max-time", "1s", "--weights",
                 "mlp.safetensors", "--json", "--wait")  # fmt: skip
    done = dnnbench(trained, *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run"]["settings"]["weights"] == "mlp.safetensors"


@pytest.mark.exhaustive  # seconds of training
@pytest.mark.slow
def test_a_regression_s_figures_are_in_the_store_and_on_the_page(tmp_path):
    name = "mlp_table[table=diabetes]"
    arguments = (
        name,
        "--backend",
        "numpy",
        "--threads",
        "1",
        "--epochs",
        "2",
        "--store",
        "s.sqlite",
    )
    done = dnnbench(tmp_path, "train", *arguments, "--json")
    [course] = json.loads(done.stdout)["courses"]
    told = [row["test_loss"] for row in course["epochs"]]
    with open_store(tmp_path / "s.sqlite") as store:
        kept = store.epochs()
    assert kept["test_loss"].tolist() == told
    assert len(told) == 2
    assert kept["accuracy"].isna().all()
    done = dnnbench(tmp_path, "report", "s.sqlite", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    assert f">{told[-1]:.4g}</td>" in (tmp_path / "page.html").read_text()


@pytest.mark.exhaustive  # seconds of training
@pytest.mark.slow
def test_what_was_learned_is_shown_though_the_store_refuses_it(tmp_path):
    arguments = (
        "mlp_table[table=diabetes]",
        "--backend",
        "numpy",
        "--threads",
        "1",
        "--epochs",
        "1",
        "--store",
        ".",
    )
    done = dnnbench(tmp_path, "train", *arguments, "--json")
    assert done.returncode == 2
    assert "is a folder" in done.stderr
    assert len(json.loads(done.stdout)["courses"]) == 1


@pytest.mark.slow
def test_training_on_data_of_ones_own(tmp_path):
    import numpy as np

    draw = np.random.default_rng(0)
    labels = draw.integers(0, 10, 400).astype(np.int32)
    images = (np.eye(64)[labels * 6] + 0.1 * draw.normal(size=(400, 64))).astype(np.float32)
    np.savez(
        tmp_path / "own.npz",
        x_train=images[:300],
        y_train=labels[:300],
        x_test=images[300:],
        y_test=labels[300:],
    )
    [course] = courses(
        tmp_path, "mlp_digits", "--backend", "numpy", "--threads", "1", "--data", "own.npz"
    )
    assert course["reached"]
    assert course["epochs"][-1]["n_test"] == 100
