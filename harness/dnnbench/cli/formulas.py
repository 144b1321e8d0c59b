"""A layer's mathematics with the names of the network at hand."""

import re
from collections.abc import Mapping

from ..spec.backward import BACKWARD_OF_LOSS, backward_of
from ..spec.losses import Loss
from ..spec.model import Model, Node
from ..spec.tensor import Spec

LONGEST_NAME = 12
"""Names beyond this make a formula harder to read than x and y do."""
_WORD = re.compile(r"[A-Za-z]\w*")


def formula(model: Model, node: Node) -> str:
    """`fc1 = image W + b` for a dense node.

    The formula of the op where its names would be too long.
    """
    text = node.op.formula if _has_bias(model, node) else node.op.formula.removesuffix(" + b")
    return _substitute(_widened(text, len(node.inputs)), _names(node) | _scalars(node.op))


def backward(model: Model, node: Node) -> tuple[str, ...]:
    """`dfc1 = dlogits W^T` and `dW = fc1^T dlogits` for a dense node: what the backward pass
    computes there.

    Without the gradient of an input of the network, which nothing reads, and empty for a node that
    no parameter reaches.
    """
    if node.name not in model.learned:
        return ()
    lines = [line for formula in backward_of(node.op) for line in _each_input(formula, node)]
    if not _has_bias(model, node):
        lines = [line for line in lines if not (line.startswith("db = sum("))]
    unread = {
        gradient
        for gradient, name in _inputs_by_gradient(node).items()
        if name not in model.learned
    }
    kept = [line for line in lines if line.partition(" ")[0] not in unread]
    words = _names(node) | _gradient_names(node) | _scalars(node.op)
    return tuple(_substitute(line, words) for line in kept)


def backward_of_loss(model: Model, loss: Loss) -> tuple[str, ...]:
    """The gradient of the network's first output, where the backward pass begins."""
    output = model.outputs[0]
    words = {"z": output, "dz": f"d{output}"} if len(output) <= LONGEST_NAME else {}
    return tuple(_substitute(line, words) for line in BACKWARD_OF_LOSS[loss.kind])


def _each_input(formula: str, node: Node) -> list[str]:
    """A formula of x1, for every input of an op that takes several alike."""
    if not formula.startswith("dx1"):
        return [formula]
    names = [f"x{i + 1}" for i in range(len(node.inputs))]
    lines = []
    for name in names:
        others = " ".join(other for other in names if other != name)
        line = formula.replace("x2", others)
        lines.append(re.sub(r"\b(d?)x1\b", rf"\g<1>{name}", line, count=1))
    return lines


def _inputs_by_gradient(node: Node) -> dict[str, str]:
    """Inputs by the name of their gradient in a formula."""
    several = {f"dx{i}": name for i, name in enumerate(node.inputs, start=1)}
    return {"dx": node.inputs[0]} | several


def _gradient_names(node: Node) -> dict[str, str]:
    """`dy` and `dx` under the names of the network, where those are short enough."""
    if not _names(node):
        return {}
    return {"dy": f"d{node.name}"} | {
        gradient: f"d{name}" for gradient, name in _inputs_by_gradient(node).items()
    }


def with_settings(part: Spec, text: str) -> str:
    """A loss's or optimizer's formula and what is set in it: `p -= lr g   (learning_rate 0.1)`;
    zeros set nothing.
    """
    settings = [f"{name} {value:g}" for name, value in _scalars_raw(part).items() if value]
    parts = {name: getattr(part, name) for name in type(part).model_fields}
    settings += [
        f"{name} {_pairs(inner)}" for name, inner in parts.items() if isinstance(inner, Spec)
    ]
    return f"{text}   ({', '.join(settings)})" if settings else text


def _pairs(part: Spec) -> str:
    return "(" + ", ".join(f"{name} {value}" for name, value in part.model_dump().items()) + ")"


def _has_bias(model: Model, node: Node) -> bool:
    return "bias" in node.op.parameters(model.input_types(node))


def _widened(text: str, inputs: int) -> str:
    """y = x1 + x2 for as many as there are."""
    names = [f"x{i + 1}" for i in range(inputs)]
    for between in (" + ", ", ", " "):
        text = text.replace(f"x1{between}x2", between.join(names))
    return text


def _names(node: Node) -> dict[str, str]:
    sources = {"x": node.inputs[0]} | {f"x{i}": name for i, name in enumerate(node.inputs, start=1)}
    named = {"y": node.name} | sources
    return named if all(len(name) <= LONGEST_NAME for name in named.values()) else {}


def _scalars_raw(part: Spec) -> dict[str, float]:
    values = {name: getattr(part, name) for name in type(part).model_fields}
    return {name: value for name, value in values.items() if isinstance(value, float)}


def _scalars(part: Spec) -> dict[str, str]:
    return {name: f"{value:g}" for name, value in _scalars_raw(part).items()}


def _substitute(text: str, words: Mapping[str, str]) -> str:
    return _WORD.sub(lambda match: words.get(match[0], match[0]), text)
