"""The page of ops, losses and optimizers, made from their docstrings and fields so that it
cannot drift.

`python -m dnnbench.spec.page > docs/ops.md` writes it anew.
"""

import re
from inspect import cleandoc
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from .backward import BACKWARD, BACKWARD_OF_LOSS, Formulas
from .losses import Loss
from .op_examples import EXAMPLES, Example
from .ops import OPS
from .ops.base import Op
from .optimizers import Optimizer, WarmupCosine
from .tensor import Initializer, Parameter, Spec

PAGE = """# Ops, losses and optimizers

What each of them means: the docstrings of `dnnbench.spec`, which the reference
and every backend compute. This page is generated, and a test compares it with the code:
`python -m dnnbench.spec.page > docs/ops.md`.

A tensor of N examples has shape (N, ...); images are (N, H, W, C), sequences (N, T, C).
Axes of attributes are those of one example: 0 is the first after N, -1 the last.
Attributes are what a workload file or `Builder` takes; a role names an array that a node owns,
called `<node>.<role>` unless it is shared. In low precision an op is one of three:

- product: it multiplies matrices, in the narrow type of `--dtype`;
- wide: it adds up many elements, in float32;
- plain: neither; it computes in the widest type of its inputs.

Under "Backward" dy is the gradient of the loss with respect to y, and so for every name;
`dnnbench show --backward` writes these formulas with the names of a network.

{contents}

{ops}

## Losses

What training minimises, read from the model's first output, and what that output predicts
(`prediction`).

{losses}

## Optimizers

How gradients g change parameters p. Step t counts from 1, every slot starts at 0.
What all of them share:

- `clip_norm`: first g *= clip_norm / max(norm, clip_norm), norm over the gradients of all
  parameters together;
- `weight_decay`: then g += weight_decay p (AdamW takes it from p instead);
- `schedule`: the rate of each step is known before it, from `WarmupCosine` below.

{optimizers}

### `WarmupCosine`

{schedule}
"""
_SOURCE = re.compile(r"\s*(Source(?: of \w+)?: .*)", re.DOTALL)
_LIMITS = {
    Gt: ("above", "gt"),
    Ge: ("of at least", "ge"),
    Lt: ("below", "lt"),
    Le: ("of at most", "le"),
}
_WORDS = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    NoneType: "none",
}


def render() -> str:
    """The text of docs/ops.md."""
    losses = [
        _part(kind, f"prediction: {kind.prediction}", _backward(BACKWARD_OF_LOSS[_name(kind)]))
        for kind in _kinds(Loss)
    ]
    optimizers = [
        _part(kind, f"slots: {', '.join(kind.slots) or 'none'}") for kind in _kinds(Optimizer)
    ]
    return PAGE.format(
        contents=",\n".join(f"[`{kind}`](#{kind})" for kind in OPS),
        ops="\n\n".join(_op(kind, op) for kind, op in OPS.items()),
        losses="\n\n".join(losses),
        optimizers="\n\n".join(optimizers),
        schedule=_meaning(WarmupCosine) + "\n\n" + _attributes(WarmupCosine),
    )


def _kinds(union: Any) -> tuple[Any, ...]:
    """The classes of a discriminated union."""
    members, _ = get_args(union)
    return get_args(members)


def _op(kind: str, op: type[Op]) -> str:
    example = EXAMPLES[kind]
    parts = [
        f"## `{kind}`",
        f"`{op.formula}`",
        _meaning(op),
        _backward(BACKWARD[kind]),
        _traits(op),
        _attributes(op),
        _example(kind, example),
    ]
    return "\n\n".join(part for part in parts if part)


def _part(kind: Any, trait: str, backward: str = "") -> str:
    title, formula = f"### `{_name(kind)}`", f"`{kind.formula}`"
    parts = [title, formula, _meaning(kind), backward, trait, _attributes(kind)]
    return "\n\n".join(part for part in parts if part)


def _name(kind: type[Spec]) -> str:
    return str(kind.model_fields["kind"].default)


def _backward(formulas: Formulas) -> str:
    return "Backward:\n\n" + _verbatim("\n".join(formulas))


def _meaning(kind: type) -> str:
    """A docstring: its first line, what follows as it is set, and its source."""
    text = cleandoc(kind.__doc__ or "")
    source = _SOURCE.search(text)
    if source:
        text = text[: source.start()] + text[source.end() :]
    first, _, rest = text.strip().partition("\n")
    sentence, _, shapes = first.partition(
        "   "
    )  # a short docstring has its shapes in the same line
    parts = [
        sentence,
        _verbatim(f"{shapes.strip()}\n{rest}"),
        " ".join(source[1].split()) if source else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _verbatim(text: str) -> str:
    return f"```text\n{text.strip()}\n```" if text.strip() else ""


def _traits(op: type[Op]) -> str:
    fewest, most = op.arity
    count = (
        str(fewest)
        if fewest == most
        else f"{fewest} or more"
        if most is None
        else f"{fewest} to {most}"
    )
    traits = [f"inputs: {count}", f"in low precision: {op.arithmetic}"]
    traits += ["draws random numbers in training"] if op.random else []
    return "; ".join(traits)


def _attributes(kind: type[Spec]) -> str:
    rows = [_row(name, field) for name, field in kind.model_fields.items() if name != "kind"]
    return "\n".join(["| attribute | expected | default |", "|---|---|---|", *rows]) if rows else ""


def _row(name: str, field: FieldInfo) -> str:
    default = "must be given" if field.is_required() else f"`{_written(field.default)}`"
    return f"| `{name}` | {_expected(field)} | {default} |"


def _written(value: Any) -> str:
    """A default as a workload file has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expected(field: FieldInfo) -> str:
    """What a field takes, in words: its description, or its type with its limits."""
    if field.description:
        return field.description
    return _spelled(field.annotation, field.metadata)


def _spelled(annotation: Any, metadata: Any = ()) -> str:
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _spelled(inner, [*metadata, *_flat(more)])
    if get_origin(annotation) is Literal:
        return " or ".join(f"'{value}'" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return _spelled_tuple(get_args(annotation), metadata)
    if members := [part for part in get_args(annotation) if part is not NoneType]:
        either = [_spelled(part, metadata) for part in members]
        return " or ".join([*either, *(["none"] if NoneType in get_args(annotation) else [])])
    word = _WORDS.get(annotation) or f"`{annotation.__name__}`"
    return " ".join([word, *_limits(metadata)])


def _spelled_tuple(parts: tuple[Any, ...], metadata: Any) -> str:
    """Two sizes may be written as one where a validator makes two of it."""
    if parts[-1] is Ellipsis:
        return f"list, each a {_spelled(parts[0])}"
    one = _spelled(parts[0])
    either = any(hasattr(item, "func") for item in metadata)
    return f"{one}, or a list of {len(parts)}" if either else f"list of {len(parts)}, each a {one}"


def _flat(metadata: Any) -> list[Any]:
    """Limits of a type, also those that stand in a Field."""
    flat: list[Any] = []
    for item in metadata:
        flat += item.metadata if isinstance(item, FieldInfo) else [item]
    return flat


def _limits(metadata: Any) -> list[str]:
    limits = []
    for item in metadata:
        if type(item) in _LIMITS:
            words, name = _LIMITS[type(item)]
            limits.append(f"{words} {getattr(item, name):g}")
    return [" and ".join(limits)] if limits else []


def _example(kind: str, example: Example) -> str:
    """One use of the op: what it takes, what it owns and what comes out, as the code says."""
    op = OPS[kind](**example.attributes)
    written = ", ".join(f"{name}={value!r}" for name, value in example.attributes.items())
    lines = [f"{kind}({written})", "inputs    " + ", ".join(map(str, example.inputs))]
    for what, arrays in (
        ("learned", op.parameters(example.inputs)),
        ("running", op.state(example.inputs)),
    ):
        if arrays:
            lines.append(
                f"{what:10}" + ", ".join(_array(role, array) for role, array in arrays.items())
            )
    lines.append(f"output    {op.output(example.inputs)}")
    return "Example:\n\n" + _verbatim("\n".join(lines))


def _array(role: str, array: Parameter) -> str:
    return f"{role} {_sizes(array.shape)} {_start(array.initializer)}"


def _sizes(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _start(initializer: Initializer) -> str:
    if initializer.kind == "uniform":
        return f"uniform in ±{initializer.bound:.3g}"
    return str(initializer.kind)


if __name__ == "__main__":
    print(render(), end="")
