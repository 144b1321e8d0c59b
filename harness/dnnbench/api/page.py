"""The page of what `import dnnbench` gives, made from signatures and docstrings so that it
cannot drift.

`python -m dnnbench.api.page > docs/api.md` writes it anew.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from inspect import Parameter, Signature, cleandoc, getdoc, getsource, isfunction, signature
from itertools import pairwise
from textwrap import dedent
from typing import Any

import dnnbench

from .. import errors
from .check import Check
from .compare import Comparison
from .export_model import ExportedModel
from .gate import Gated
from .history import Trends
from .load import Runs
from .predict import Predicted
from .recorded import Run
from .reproduce import ReproducedCell
from .train import Training

PAGE = """# What `import dnnbench` gives

Every function with its arguments and their defaults, what each gives back, and what it raises.
This page is generated, and a test compares it with the code:
`python -m dnnbench.api.page > docs/api.md`. [python.md](python.md) shows them at work; the frames'
columns stand in [results/README.md](../results/README.md).

{contents}

## Functions

{functions}

## Results

`sections()` and `to_markdown()` are every result's: what the terminal, a page and a notebook show
of it, the outcome first.

{results}

## Networks

{networks}

## Exceptions

All are `dnnbench.errors.DnnbenchError`, but `Interrupted`, which is a `KeyboardInterrupt`.

{exceptions}
"""
RESULTS = (
    *(
        Run,
        Runs,
        Check,
        Training,
        Predicted,
        Comparison,
        Gated,
        Trends,
        ExportedModel,
        ReproducedCell,
    ),
)
UNSHOWN = ("sections", "to_markdown", "spoken", "evidence", "target", "gate", "history")
"""Of a result: what is said once for all of them, and what the reports are made from."""
NETWORKS = ("Builder", "Workload")
RAISED = tuple(each for each in vars(errors).values() if isinstance(each, type))
LONGEST_LINE = 80
"""Of a call; a longer one has an argument a line."""


def render() -> str:
    """The text of docs/api.md."""
    names = [name for name in dnnbench.__all__ if isfunction(getattr(dnnbench, name))]
    return PAGE.format(
        contents=",\n".join(f"[`{name}`](#dnnbench{name})" for name in names),
        functions="\n\n".join(_function(name) for name in names),
        results="\n\n".join(map(_result, RESULTS)),
        networks="\n\n".join(_network(name) for name in NETWORKS),
        exceptions=_table("exception", [(each.__name__, _cell(each)) for each in RAISED]),
    )


def _table(what: str, rows: Iterable[tuple[str, str]]) -> str:
    head = [f"| {what} | meaning |", "|---|---|"]
    return "\n".join([*head, *(f"| `{name}` | {text} |" for name, text in rows)])


def _function(name: str) -> str:
    function = getattr(dnnbench, name)
    call = _called(name, signature(function))
    return f"### `dnnbench.{name}`\n\n{call}\n\n{_documented(function)}"


def _called(name: str, called: Signature) -> str:
    """`run(workloads=(), *, backend="all", ...)`, an argument a line where there are many."""
    arguments: list[str] = []
    for parameter in called.parameters.values():
        if parameter.kind is Parameter.KEYWORD_ONLY and "*" not in arguments:
            arguments.append("*")
        arguments.append(_argument(parameter))
    line = f"dnnbench.{name}({', '.join(arguments)})"
    if len(line) > LONGEST_LINE:
        line = f"dnnbench.{name}(\n" + "".join(f"    {each},\n" for each in arguments) + ")"
    return f"```python\n{line}\n```"


def _argument(parameter: Parameter) -> str:
    if parameter.default is Parameter.empty:
        return parameter.name
    return f"{parameter.name}={_written(parameter.default)}"


def _written(value: Any) -> str:
    """A default as a caller would write it: members of enums by their texts."""
    if isinstance(value, tuple):
        texts = [_written(each) for each in value]
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    return repr(str(value)) if isinstance(value, str) else repr(value)


def _documented(item: Any) -> str:
    """A docstring as Markdown: examples as code, names in brackets as they are."""
    text = cleandoc(getdoc(item) or "")
    return re.sub(r"(?m)^(>>> .*(?:\n(?!\n).*)*)", r"```python\n\1\n```", text)


def _cell(item: Any) -> str:
    return " ".join((getdoc(item) or "").split()).replace("|", "\\|")


def _result(kind: type) -> str:
    members = _table("attribute or method", _members(kind))
    return f"### `{kind.__name__}`\n\n{_documented(kind)}\n\n{members}"


def _members(kind: type) -> Iterator[tuple[str, str]]:
    """Fields of a dataclass first, then properties and methods, in the order of the class."""
    if is_dataclass(kind):
        meanings = _meanings(kind)
        for field in fields(kind):
            if field.name not in UNSHOWN:
                yield field.name, meanings.get(field.name, f"`{field.type}`".replace("|", "\\|"))
    for name, member in vars(kind).items():
        if name.startswith("_") or name in UNSHOWN:
            continue
        if isinstance(member, property | cached_property):
            yield name, _cell(member)
        elif isfunction(member):
            yield f"{name}{_short(signature(member))}", _cell(member)


def _meanings(kind: type) -> dict[str, str]:
    """What the text below a field says of it."""
    [definition] = ast.parse(dedent(getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for statement, below in pairwise(definition.body):
        if isinstance(statement, ast.AnnAssign) and isinstance(below, ast.Expr):
            texts[ast.unparse(statement.target)] = str(ast.literal_eval(below.value))
    return texts


def _short(called: Signature) -> str:
    names = [name for name in called.parameters if name != "self"]
    return f"({', '.join(names)})"


def _network(name: str) -> str:
    kind = getattr(dnnbench, name)
    return f"### `dnnbench.{name}`\n\n{_documented(kind)}"


if __name__ == "__main__":
    print(render(), end="")
