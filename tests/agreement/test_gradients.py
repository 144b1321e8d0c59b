"""Every hand-written gradient against central differences of the loss, in float64."""

from functools import cache

import numpy as np
import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.spec.ops import OPS
from dnnbench.spec.weights import generator, initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy import gradients, ops
from dnnbench_numpy.backend import NumpyBackend

STEP, DIRECTIONS, TOLERANCE = 1e-5, 2, 3e-7
AT_A_KINK = {
    "relu_at_zero": "half the examples stand at 0, where the derivative is one-sided",
    "relu6_at_zero": "half the examples stand at 0, where the derivative is one-sided",
    "leaky_relu_at_zero": "half the examples stand at 0, where the derivative is one-sided",
    "max_pool2d_tied": "two or more elements are largest, and either side of a step another one is",
    "global_max_pool_tied": (
        "two or more elements are largest, and either side of a step another one is"
    ),
    "attention_of_large_scores": "scores of thousands bend too much within a step",
}


@cache
def started(case):
    """(program, batch, weights) of a case."""
    workload = CASES[case]()
    weights = initial_weights(workload.model, 0)
    program = NumpyBackend().build(workload, weights, Arm("numpy", "eager", dtype="float64"))
    return program, program.put(batches_of(workload)[0]), weights


def slope(program, batch, weights, name, direction):
    """(L(p + h v) - L(p - h v)) / 2 h for one parameter p and direction v."""

    def loss_at(distance):
        program.load(weights | {name: weights[name].astype(np.float64) + distance * direction})
        return program.loss(batch)["loss"]

    return (loss_at(STEP) - loss_at(-STEP)) / (2 * STEP)


def worst_slope(case):
    """(error over the gradient's norm, parameter) of the parameter whose gradient is farthest
    from its slopes.
    """
    program, batch, weights = started(case)
    program.load(weights)
    found = program.gradients(batch)["gradients"]
    scale = max(np.linalg.norm(g) for g in found.values())
    errors = []
    for name, g in found.items():
        draw = generator(0, f"{case}.{name}")
        for direction in draw.normal(size=(DIRECTIONS, *g.shape)):
            error = slope(program, batch, weights, name, direction) - np.sum(g * direction)
            errors.append((abs(error) / max(np.linalg.norm(g), 1e-3 * scale), name))
    return max(errors, key=lambda found: found[0] if found[0] == found[0] else np.inf)


@pytest.mark.parametrize("case", [case for case in CASES if case not in AT_A_KINK])
def test_gradients_are_the_slopes_of_the_loss(case):
    error, name = worst_slope(case)
    assert error < TOLERANCE, f"{name} is {error:.1e} off"


def test_the_table_covers_every_op_but_kinks():
    smooth = [CASES[case]().model for case in CASES if case not in AT_A_KINK]
    assert {node.op.kind for model in smooth for node in model.nodes} == set(OPS)
    assert set(AT_A_KINK) <= set(CASES)


def learns(model, node):
    return bool(model.roles(node)[0])


def passes_on(model, node):
    return bool(model.learned & set(node.inputs))


def cases_of_lies():
    """By (kind, part of its gradients), the first case in which that part matters."""
    cases = {}
    for case in CASES:
        if case not in AT_A_KINK:
            model = CASES[case]().model
            for node in model.nodes:
                if passes_on(model, node):
                    cases.setdefault((node.op.kind, "inputs"), case)
                if learns(model, node):
                    cases.setdefault((node.op.kind, "parameters"), case)
    return cases


LIES = [(*lie, case) for lie, case in cases_of_lies().items()]


def test_there_is_a_lie_about_every_op():
    assert {kind for kind, _, _ in LIES} == set(OPS)


@pytest.mark.parametrize(("kind", "part", "case"), LIES)
def test_a_wrong_gradient_of_an_op_is_seen(monkeypatch, kind, part, case):
    honest = getattr(gradients, kind)

    def wrong(*arguments, **parameters):
        inputs, learned = honest(*arguments, **parameters)
        if part == "inputs":
            return tuple(lambda dx=dx: 1.00001 * dx() for dx in inputs), learned
        return inputs, {role: 1.00001 * g for role, g in learned.items()}

    monkeypatch.setattr(gradients, kind, wrong)
    assert worst_slope(case)[0] > TOLERANCE


@pytest.mark.parametrize("loss", ["cross_entropy", "bce_with_logits", "mse"])
def test_a_wrong_gradient_of_a_loss_is_seen(monkeypatch, loss):
    honest = getattr(gradients, loss)
    monkeypatch.setattr(gradients, loss, lambda *arguments: 1.00001 * honest(*arguments))
    assert worst_slope("dense" if loss == "cross_entropy" else loss)[0] > TOLERANCE


def gradient_at(kind, x, **attributes):
    """dL/dx of an op at chosen places, for dL/dy = 1."""
    op = OPS[kind](**attributes)
    x = np.array(x, float)
    y = getattr(ops, kind)(op, x)
    return getattr(gradients, kind)(op, np.ones_like(y), y, x)[0][0]()


@pytest.mark.parametrize(
    ("kind", "attributes", "x", "expected"),
    [
        ("relu", {}, [-1, 0, 1], [0, 0, 1]),
        ("relu6", {}, [-1, 0, 1, 6, 7], [0, 0, 1, 0, 0]),
        ("leaky_relu", {"slope": 0.25}, [-1, 0, 1], [0.25, 0.25, 1]),
        ("elu", {"alpha": 0.5}, [0, 1], [0.5, 1]),
        ("hardswish", {}, [-4, -3, 0, 3, 4], [0, 0, 0.5, 1, 1]),
    ],
)
def test_derivatives_at_kinks(kind, attributes, x, expected):
    assert gradient_at(kind, [x], **attributes).tolist() == [expected]


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [("max_pool2d", {"window": (1, 2)}, [1, 0, 1, 0]), ("global_max_pool", {}, [1, 0, 0, 0])],
)
def test_a_tie_sends_its_gradient_to_the_first(kind, attributes, expected):
    image = np.ones((1, 1, 4, 1))
    assert gradient_at(kind, image, **attributes).reshape(-1).tolist() == expected
