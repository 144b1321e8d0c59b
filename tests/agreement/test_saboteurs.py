"""A backend that computes something else must be caught, whatever the op and however
small the lie.
"""

import numpy as np
import pytest
from dnnbench.spec.ops import OPS
from dnnbench.testing.cases import CASES
from dnnbench_numpy import gradients, losses, ops, optimizers
from helpers.saboteurs import checked_case, verdict

pytestmark = pytest.mark.slow

STEPS = (1, 5)


def case_with(kind):
    """The first case that uses an op."""
    return next(
        name for name, build in CASES.items() if any(n.op.kind == kind for n in build().model.nodes)
    )


def forward_names(kind):
    """The functions that compute an op: one, or one for training besides."""
    return [name for name in (kind, f"{kind}_training") if hasattr(ops, name)]


def of_value(result, change):
    """Apply a change to an op's value, which may come with new state."""
    return (change(result[0]), result[1]) if isinstance(result, tuple) else change(result)


def slightly_wrong(y):
    return y * (1 + 6e-6)


def nan_in_one_element(y):
    y = np.array(y, order="C")
    y.reshape(-1)[-1] = np.nan
    return y


def one_border_element_wrong(y):
    y = np.array(y, order="C")
    y.reshape(len(y), -1)[:, -1] *= 1.01
    return y


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("lie", [slightly_wrong, nan_in_one_element, one_border_element_wrong])
def test_a_wrong_value_is_caught(monkeypatch, kind, lie):
    case = case_with(kind)
    checked_case(case, "float64")
    for name in forward_names(kind):
        honest = getattr(ops, name)
        monkeypatch.setattr(
            ops, name, lambda *a, honest=honest, **k: of_value(honest(*a, **k), lie)
        )
    assert not verdict(case).ok


@pytest.mark.parametrize("kind", OPS)
def test_a_stale_answer_is_caught(monkeypatch, kind):
    case = case_with(kind)
    checked_case(case, "float64")
    for name in forward_names(kind):
        honest, memory = getattr(ops, name), {}

        def stale(op, *inputs, honest=honest, memory=memory, **named):
            key = (id(op), *(np.shape(x) for x in inputs))
            return memory.setdefault(key, honest(op, *inputs, **named))

        monkeypatch.setattr(ops, name, stale)
    assert not verdict(case).ok


@pytest.mark.parametrize(
    "kind", [kind for kind in OPS if kind != "embedding"]
)  # ids have no gradient
def test_a_dropped_input_gradient_is_caught(monkeypatch, kind):
    case = next(n for n, b in CASES.items() if uses_behind_a_parameter(b().model, kind))
    checked_case(case, "float64")
    honest = getattr(gradients, kind)

    def dropped(op, g, y, *inputs, **named):
        found, learned = honest(op, g, y, *inputs, **named)
        return tuple((lambda f=f: np.zeros_like(f())) for f in found), learned

    monkeypatch.setattr(gradients, kind, dropped)
    assert not verdict(case).ok


def uses_behind_a_parameter(model, kind):
    """Whether an op of that kind passes a gradient on."""
    return any(node.op.kind == kind and model.learned & set(node.inputs) for node in model.nodes)


@pytest.mark.parametrize(("kind", "role"), [("dense", "weight"), ("dense", "bias"),
                                            ("conv2d", "weight"), ("conv2d", "bias"),
                                            ("batch_norm", "scale"),
                                            ("batch_norm", "bias")])  # fmt: skip
def test_a_dropped_parameter_gradient_is_caught(monkeypatch, kind, role):
    case = case_with(kind)
    checked_case(case, "float64")
    honest = getattr(gradients, kind)

    def dropped(*arguments, **named):
        found, learned = honest(*arguments, **named)
        return found, learned | {role: np.zeros_like(learned[role])}

    monkeypatch.setattr(gradients, kind, dropped)
    assert not verdict(case).ok


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("where", [losses, gradients])
def test_an_unscaled_loss_is_caught(monkeypatch, loss, where):
    case = "mse" if loss == "mse" else "dense"
    checked_case(case, "float64")
    honest = getattr(where, loss)
    monkeypatch.setattr(where, loss, lambda spec, z, t: honest(spec, z, t) * len(z))
    assert not verdict(case).ok


def epsilon_inside_the_root(optimizer, parameters, gradients, slots, t):
    for name, p in parameters.items():
        m, v, g = slots["first_moment"][name], slots["second_moment"][name], gradients[name]
        m += (1 - optimizer.beta1) * (g - m)
        v += (1 - optimizer.beta2) * (g * g - v)
        m_hat, v_hat = m / (1 - optimizer.beta1**t), v / (1 - optimizer.beta2**t)
        p -= optimizer.learning_rate * m_hat / np.sqrt(v_hat + optimizer.epsilon**2)


def learning_rate_in_the_velocity(optimizer, parameters, gradients, slots, t):
    for name, p in parameters.items():
        b = slots["velocity"][name]
        b *= optimizer.momentum
        b += optimizer.learning_rate * gradients[name]
        p -= b


def never_moves(optimizer, parameters, gradients, slots, t):
    pass


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("adam", epsilon_inside_the_root),
        ("momentum", learning_rate_in_the_velocity),
        ("sgd", never_moves),
    ],
)
def test_another_convention_of_an_optimizer_is_caught(monkeypatch, kind, wrong):
    checked_case(kind, "float64")
    monkeypatch.setattr(optimizers, kind, wrong)
    assert not verdict(kind).ok


def test_unbiased_running_variance_is_caught(monkeypatch):
    checked_case("batch_norm", "float64")
    honest = ops.batch_norm_training

    def unbiased(op, x, scale, bias, mean, variance):
        y, running = honest(op, x, scale, bias, mean, variance)
        count = x.size // x.shape[-1]
        batch = (running["variance"] - op.momentum * variance) * count / (count - 1)
        return y, running | {"variance": op.momentum * variance + batch}

    monkeypatch.setattr(ops, "batch_norm_training", unbiased)
    worst = verdict("batch_norm")
    assert not worst.ok
    assert "variance" in worst.tensor or "infer" in worst.tensor


@pytest.mark.exhaustive  # tests/conformance asks the same of it in a worker
@pytest.mark.parametrize("case", CASES)
def test_the_honest_backend_passes(case):
    """In float32: in float64 it would be compared with itself."""
    assert verdict(case, "float32").ok
