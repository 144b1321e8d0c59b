"""Which parts are candidates, and in which order."""

from dnnbench.agreement.check import Agreement
from dnnbench.agreement.comparison import TensorComparison
from dnnbench.agreement.status import Status
from dnnbench.diagnosis.candidates import candidates
from dnnbench.testing.cases import CASES
from helpers.replaying import key_of


def differing(optimizer, step):
    tensor = f"{optimizer}@{step}/weights/dense1.weight"
    return Agreement(f"weights@{step}", optimizer, tensor, 2.0, 1, "", Status.DIFFERS)


def names(case, *bad, rows=()):
    comparisons = {key_of(text): TensorComparison(key_of(text), 9.0) for text in bad}
    return [candidate.name for candidate in candidates(CASES[case](), comparisons, rows)]


def test_the_first_wrong_value_comes_first():
    assert names("conv2d_twice", "activations/conv2d2", "activations/relu1") == ["relu1", "conv2d2"]


def test_a_node_with_a_right_input_comes_before_one_with_a_wrong_one():
    bad = ("activations/dense1", "activations/tanh1", "activations/dense2")
    assert names("lstm_from_state", *bad) == ["dense1", "dense2", "tanh1"]


def test_backwards_the_last_node_that_made_a_wrong_gradient_comes_first():
    bad = ("cotangents/conv2d1", "gradients/conv2d1.weight", "cotangents/relu1")
    assert names("conv2d_twice", *bad) == ["conv2d2", "relu1", "conv2d1"]


def test_values_come_before_statistics_inference_loss_gradients_and_optimizers():
    rows = [differing("adam", 1)]
    bad = (
        "loss",
        "state/batch_norm1.mean",
        "infer/relu1",
        "activations/flat",
        "gradients/dense1.weight",
        "prediction",
    )
    order = ["flat", "batch_norm1", "relu1", "cross_entropy", "dense1", "adam"]
    assert names("batch_norm", *bad, rows=rows) == order


def test_what_comes_after_a_step_comes_last():
    rows = [differing("sgd", 5)]
    assert names("tanh", "momentum@1/then/activations/tanh1", rows=rows) == ["sgd", "tanh1"]
