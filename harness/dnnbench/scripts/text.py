"""Pieces of code that the scripts of several frameworks are put together from."""

import textwrap
from collections.abc import Callable, Iterable, Sequence

from ..spec.model import Model
from ..spec.tensor import TensorType
from .walk import Body
from .wrapping import INDENT, WIDTH, broken, line


def function(
    name: str, arguments: Iterable[str], docstring: str, lines: Sequence[str], above: str = ""
) -> str:
    """A function; its lines are indented already.  above: a decorator."""
    defined = broken(f"def {name}({', '.join(arguments)})") + ":"
    described = _docstring(docstring) if docstring else []
    return "\n".join([*([above] if above else []), defined, *described, *lines])


def _docstring(text: str) -> list[str]:
    """In one line, or in several with the closing quotes alone."""
    whole = f'{INDENT}"""{text}"""'
    if len(whole) <= WIDTH:
        return [whole]
    wrapped = textwrap.fill(text, WIDTH, initial_indent=f'{INDENT}"""', subsequent_indent=INDENT)
    return [wrapped, f'{INDENT}"""']


def returned(groups: Iterable[tuple[str, str]]) -> str:
    """`return {"outputs": ..., "loss": loss}`"""
    inside = ", ".join(f'"{name}": {code}' for name, code in groups)
    return line(f"return {{{inside}}}")


def outputs_of(model: Model, body: Body) -> str:
    """The outputs by name, as a dictionary."""
    pairs = zip(model.outputs, body.of(model), strict=True)
    return "{" + ", ".join(f'"{name}": {value}' for name, value in dict(pairs).items()) + "}"


def shapes_of(model: Model, body: Body, shape: Callable[[TensorType], tuple[int, ...]]) -> str:
    """`image: (N, 1, 8, 8)`, of every input."""
    described = []
    for source, name in zip(model.inputs, body.arguments, strict=True):
        axes = ", ".join(map(str, ("N", *shape(source.type))))
        described.append(f"{name}: ({axes}{',' if axes == 'N' else ''})")
    return "   ".join(described)


def assignments(pairs: Iterable[tuple[str, str]]) -> str:
    """`a = b` a line."""
    return "\n".join(broken(f"{name} = {code}") for name, code in pairs)
