"""Functions cut out of Python files as they stand there, with everything that they read.

What scripts share is real code, which linters and tests read, and no text in quotes.
"""

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.Expr


@dataclass(frozen=True)
class Import:
    """A name, and the statement that brings it."""

    module: str
    name: str = ""
    """Empty where the module itself is imported."""
    bound: str = ""


@dataclass(frozen=True)
class Cut:
    """Definitions as text, in the order of their files, and the imports of what they read."""

    code: tuple[str, ...]
    imports: tuple[Import, ...]


@dataclass(frozen=True)
class _File:
    """Text of what a file defines, by name and in its order; and what it imports, by name.

    What is called on a definition (`f.defvjp(...)`) stands under `f()`.
    """

    blocks: dict[str, str] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)


def cut(files: Sequence[Path], code: str) -> Cut:
    """What the files define and import of the names that `code` reads, and of what that reads.

    What the code defines itself stands in place of the files' own.
    """
    read = [_read(path) for path in files]
    own = set(_defined(ast.parse(code)))
    blocks = {name: text for file in read for name, text in file.blocks.items() if name not in own}
    imports = {name: brought for file in read for name, brought in file.imports.items()}
    names = _reached(names_in(code), blocks)
    return Cut(
        tuple(text for name, text in blocks.items() if name in names),
        tuple(brought for name, brought in imports.items() if name in names - set(blocks) - own),
    )


def defined_in(files: Sequence[Path]) -> set[str]:
    """Every name that the files define or import."""
    read = [_read(path) for path in files]
    return {name for file in read for name in (*file.blocks, *file.imports)}


def names_in(code: str) -> set[str]:
    """Every name that the code reads or writes, but for Python's own."""
    names = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    return names - set(dir(builtins))


def _reached(start: set[str], blocks: dict[str, str]) -> set[str]:
    """Names from `start` on, through the definitions that bear them."""
    reached: set[str] = set()
    waiting = sorted(start)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        called = f"{name}()"
        waiting += sorted(names_in(blocks.get(name, "")))
        waiting += [called] if called in blocks else []
    return reached


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names that code defines at its left margin."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def _read(path: Path) -> _File:
    text = path.read_text()
    file, rows = _File(), text.splitlines()
    for node in ast.parse(text).body:
        match node:
            case ast.Import() | ast.ImportFrom(level=0):
                file.imports.update({each.bound: each for each in _imports(node)})
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                file.blocks[name] = _text_of(node, rows)
            case ast.Assign(targets=[ast.Name(id=name)]):
                file.blocks[name] = _text_of(node, rows)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
                file.blocks[f"{name}()"] = _text_of(node, rows)
    return file


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", alias.name, alias.asname or alias.name)
        else:
            yield Import(alias.name, "", alias.asname or alias.name.partition(".")[0])


def _text_of(node: Definition, rows: Sequence[str]) -> str:
    """With its decorators."""
    decorators = [] if isinstance(node, ast.Assign | ast.Expr) else node.decorator_list
    first = min(node.lineno, *(decorator.lineno for decorator in decorators), node.lineno)
    return "\n".join(rows[first - 1 : node.end_lineno])
