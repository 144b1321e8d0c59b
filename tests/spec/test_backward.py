"""The formulas of the backward pass are evaluated, and are the gradients of the NumPy backend."""

import re

import numpy as np
import pytest
from dnnbench.spec.backward import BACKWARD, BACKWARD_OF_LOSS, backward_of
from dnnbench.spec.losses import Loss
from dnnbench.spec.ops import OPS
from dnnbench.spec.page import _kinds
from dnnbench_numpy import gradients, losses, ops
from scipy.special import ndtr

OPERAND = re.compile(r"([A-Za-z_]\w*(?:\^T)?|\d+(?:\.\d+)?|\))\s+(?=[A-Za-z_(\d])")


def python_of(text, product):
    """A formula as Python: a product is two operands side by side, as is read on the page."""
    if " ? " in text:
        condition, _, rest = text.partition(" ? ")
        yes, _, no = rest.partition(" : ")
        parts = (python_of(part, product) for part in (condition, yes, no))
        return "where({}, {}, {})".format(*parts)
    if " and " in text:
        return " & ".join(f"({python_of(part, product)})" for part in text.split(" and "))
    text = text.replace("Phi'(", "density(")
    text = OPERAND.sub(lambda match: f"{match[1]} {product} ", text)
    return re.sub(r"\b(\w+)\^T", r"transposed(\1)", text).replace("^", "**")


def assignments(formulas):
    """name -> expression, of all that the lines say."""
    parts = [part for line in formulas for part in re.split(r", (?=\w+ = )", line)]
    return dict(part.split(" = ", 1) for part in parts)


def evaluated(formulas, scope, product="*", axes=(-1,), learned=()):
    """Every name that the formulas define; `mean` and `sum` go over `axes`, but of a parameter's
    gradient over all that the parameter is not.
    """
    functions = {
        "exp": np.exp,
        "sqrt": np.sqrt,
        "where": np.where,
        "transposed": lambda a: a.swapaxes(-1, -2),
        "mean": lambda a: a.mean(axis=axes, keepdims=True),
        "Phi": ndtr,
        "density": lambda a: np.exp(-a * a / 2) / np.sqrt(2 * np.pi),
    }
    values, open_names = dict(scope), assignments(formulas)
    while open_names:
        for name, text in list(open_names.items()):
            over = tuple(range(scope["dy"].ndim - 1)) if name in learned else axes
            kept = name not in learned
            add = {"sum": lambda a, over=over, kept=kept: a.sum(axis=over, keepdims=kept)}
            try:
                values[name] = eval(python_of(text, product), functions | add | values)
            except NameError as error:
                assert error.name in open_names, (name, text)
                continue
            del open_names[name]
    return values


def reference(op, inputs, parameters=()):
    """(y, dy, gradients of the inputs, of the parameters by role)"""
    parameters = dict(parameters)
    y = getattr(ops, op.kind)(op, *inputs, **parameters)
    dy = np.random.default_rng(1).normal(size=y.shape)
    back, learned = getattr(gradients, op.kind)(op, dy, y, *inputs, **parameters)
    return y, dy, [each() for each in back], learned


X = np.concatenate([np.random.default_rng(0).normal(scale=3, size=(5, 4)), [[0, 6, -3, 3.0]]])
ONE_BY_ONE = (
    *("relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "hardswish"),
    *("sigmoid", "tanh", "softmax"),
)


@pytest.mark.parametrize("kind", ONE_BY_ONE)
def test_the_formula_of_an_activation_is_its_gradient(kind):
    op = OPS[kind]()
    y, dy, [dx], _ = reference(op, [X])
    scope = {"x": X, "y": y, "dy": dy, "a": getattr(op, "slope", getattr(op, "alpha", None))}
    np.testing.assert_allclose(evaluated(backward_of(op), scope)["dx"], dx, atol=1e-12)


NORMS = [("batch_norm", (0,)), ("layer_norm", (-1,)), ("rms_norm", (-1,))]


@pytest.mark.parametrize(("kind", "axes"), NORMS)
def test_the_formula_of_a_norm_is_its_gradient(kind, axes):
    op, draw = OPS[kind](), np.random.default_rng(2)
    roles = {"scale": draw.normal(size=4), "bias": draw.normal(size=4)}
    roles = {role: roles[role] for role in (("scale",) if kind == "rms_norm" else roles)}
    moments = {"mu": X.mean(axis=axes, keepdims=True), "v": X.var(axis=axes, keepdims=True)}
    dy = draw.normal(size=X.shape)
    back, learned = getattr(gradients, kind)(op, dy, None, X, **roles)
    scope = {"x": X, "dy": dy, "g": roles["scale"], "eps": op.epsilon, **moments}
    values = evaluated(backward_of(op), scope, axes=axes, learned=("dg", "db"))
    np.testing.assert_allclose(values["dx"], back[0](), atol=1e-12)
    np.testing.assert_allclose(values["dg"], learned["scale"], atol=1e-12)


def test_the_formula_of_a_product_of_inputs_is_its_gradient():
    op, other = OPS["mul"](), np.random.default_rng(3).normal(size=X.shape)
    _, dy, [first, _], _ = reference(op, [X, other])
    scope = {"x1": X, "x2": other, "dy": dy}
    np.testing.assert_allclose(evaluated(backward_of(op), scope)["dx1"], first)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_formulas_of_a_dense_layer_are_its_gradients(transposed):
    op, draw = OPS["dense"](units=3, transposed=transposed), np.random.default_rng(4)
    weight = draw.normal(size=(3, 4) if transposed else (4, 3))
    _, dy, [dx], learned = reference(op, [X], {"weight": weight, "bias": draw.normal(size=3)})
    scope = {"x": X, "W": weight, "dy": dy}
    values = evaluated(backward_of(op), scope, product="@", learned=("db",))
    np.testing.assert_allclose(values["dx"], dx)
    np.testing.assert_allclose(values["dW"], learned["weight"])
    np.testing.assert_allclose(values["db"], learned["bias"])


@pytest.mark.parametrize("transposed", [False, True])
def test_the_formulas_of_a_product_of_matrices_are_its_gradients(transposed):
    op, draw = OPS["matmul"](transpose_b=transposed), np.random.default_rng(5)
    a, b = draw.normal(size=(2, 3, 4)), draw.normal(size=(2, 5, 4) if transposed else (2, 4, 5))
    _, dy, [da, db], _ = reference(op, [a, b])
    values = evaluated(backward_of(op), {"a": a, "b": b, "dy": dy}, product="@")
    np.testing.assert_allclose(values["da"], da)
    np.testing.assert_allclose(values["db"], db)


@pytest.mark.parametrize("kind", ["bce_with_logits", "mse"])
def test_the_formula_of_a_loss_is_its_gradient(kind):
    [loss] = [each() for each in _kinds(Loss) if each.model_fields["kind"].default == kind]
    t = np.random.default_rng(6).uniform(size=X.shape)
    [formula] = BACKWARD_OF_LOSS[kind]
    scope = {"z": X, "t": t, "n": X.size, "dy": X}
    values = evaluated([formula.removesuffix(", n elements")], scope)
    np.testing.assert_allclose(values["dz"], getattr(gradients, kind)(loss, X, t))


def test_the_formula_of_cross_entropy_is_its_gradient():
    [loss] = [each() for each in _kinds(Loss) if each.model_fields["kind"].default[:5] == "cross"]
    labels = np.array([0, 3, 1, 2, 2, 0])
    [formula] = BACKWARD_OF_LOSS["cross_entropy"]
    scope = {
        "z": X,
        "label": labels,
        "n": len(labels),
        "softmax": lambda z: ops.softmax(None, z),
        "onehot": lambda label: np.eye(4)[label],
        "dy": X,
    }
    values = evaluated([formula.removesuffix(", n labels that count")], scope)
    np.testing.assert_allclose(values["dz"], gradients.cross_entropy(loss, X, labels))


def test_every_op_has_formulas():
    assert list(BACKWARD) == list(OPS)


def test_every_loss_has_one():
    assert set(BACKWARD_OF_LOSS) == {each.model_fields["kind"].default for each in _kinds(Loss)}
    assert set(BACKWARD_OF_LOSS) <= set(vars(losses))
