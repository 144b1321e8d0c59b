"""docs/design.md: its links lead to what they name, its rooms are the rooms,
and the words that it calls gone are gone.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "harness" / "dnnbench"
PAGE = (ROOT / "docs" / "design.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, re.M))
SOURCES = [
    path
    for folder in ("harness", "backends", "workloads")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
TEMPLATES = sorted((CORE / "report" / "templates").rglob("*.*"))
ALLOWED = {
    ("backends/dnnbench_numpy/products.py", "lane"): "of a vector register",
    (
        "harness/dnnbench/cli/train.py",
        "course",
    ): "a key of `train --json`, which other programs read",
    (
        "harness/dnnbench/execution/stored_facts.py",
        "ledger",
    ): "a key of stores, those of earlier versions included",
}
"""Why a word may stand in a file: it has another meaning there, or others have written it."""


def first_column(section: str) -> list[str]:
    return re.findall(r"^\| `([^`|]+)` \|", SECTIONS[section], re.M)


def parts(name: str) -> tuple[str, ...]:
    """The words of an identifier or a text, in small letters."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that the code gives to something or calls something by, with its line."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            yield node.id, line
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg, line
        elif isinstance(node, ast.Attribute):
            yield node.attr, line
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, line


def texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every piece of text that the code may show, with its line.

    Documentation of the code is not among them.
    """
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    documentation = {id(value) for value in statements if isinstance(value, ast.Constant)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation:
            yield node.value, node.lineno


@cache
def standing(in_texts: bool) -> dict[tuple[str, ...], list[tuple[str, int]]]:
    """(path, line) of every identifier, or of every text and template, by its words."""
    places: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for path in SOURCES:
        where = str(path.relative_to(ROOT))
        tree = ast.parse(path.read_text())
        for text, line in texts(tree) if in_texts else identifiers(tree):
            places.setdefault(parts(text), []).append((where, line))
        if not in_texts:
            places.setdefault(parts(path.stem), []).append((where, 0))
    if in_texts:
        for path in TEMPLATES:
            places.setdefault(parts(path.read_text()), []).append((str(path.relative_to(ROOT)), 0))
    return places


def holds(words: tuple[str, ...], run: tuple[str, ...]) -> bool:
    """Whether `run` stands in `words`, one word behind the other, the last one perhaps
    in the plural.
    """
    plural = (*run[:-1], f"{run[-1]}s")
    starts = range(len(words) - len(run) + 1)
    return any(words[i : i + len(run)] in (run, plural) for i in starts)


def places_of(name: str, in_texts: bool, alone: bool = False) -> list[str]:
    """`path:line` of every place where a name stands, `alone` or as part of another,
    and is not allowed to.
    """
    run = parts(name)
    here = []
    for words, places in standing(in_texts).items():
        if words == run or (not alone and holds(words, run)):
            here += [f"{path}:{line}" for path, line in places if not is_allowed(path, name)]
    return sorted(here)


def is_allowed(path: str, name: str) -> bool:
    return (path, name) in ALLOWED


GONE_WORDS = first_column("Words that are gone")
GONE_NAMES = first_column("Names that are gone")
GONE_VALUES = first_column("Names of values that are gone")
MOVED = first_column("Modules that moved")


def test_the_page_lists_what_is_gone():
    assert min(map(len, (GONE_WORDS, GONE_NAMES, GONE_VALUES, MOVED))) >= 5


@pytest.mark.parametrize("word", [*GONE_WORDS, *GONE_NAMES])
def test_no_identifier_holds_a_word_that_is_gone(word):
    assert places_of(word, in_texts=False) == []


@pytest.mark.parametrize("word", GONE_WORDS)
def test_no_message_holds_a_word_that_is_gone(word):
    assert places_of(word, in_texts=True) == []


@pytest.mark.parametrize("name", GONE_VALUES)
def test_no_value_has_a_name_that_says_nothing_of_it(name):
    assert places_of(name, in_texts=False, alone=True) == []


@pytest.mark.parametrize(("path", "word"), ALLOWED)
def test_what_is_allowed_is_needed(path, word):
    lines = [place for places in standing_places(word) for place in places]
    assert path in {where for where, _ in lines}


def standing_places(word: str) -> list[list[tuple[str, int]]]:
    run = parts(word)
    both = [*standing(False).items(), *standing(True).items()]
    return [places for words, places in both if holds(words, run)]


@pytest.mark.parametrize("before", MOVED)
def test_a_module_that_moved_is_not_in_its_old_place(before):
    assert not (CORE / before).exists()


def test_modules_that_moved_are_in_their_new_places():
    rows = re.findall(r"^\| `[^`]+` \| `([^`]+)` \|", SECTIONS["Modules that moved"], re.M)
    assert [path for path in rows if not (CORE / path).exists()] == []


LINKS = re.findall(r"\[`(\w+)`\]\(\.\./([^)]+)\)", SECTIONS["Glossary"])


@pytest.mark.parametrize(("name", "path"), LINKS)
def test_a_link_leads_to_what_it_names(name, path):
    body = ast.parse((ROOT / path).read_text()).body
    assert name in {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_row_of_the_glossary_has_a_link():
    rows = re.findall(r"^\| (?!word|---)(.+) \|$", SECTIONS["Glossary"], re.M)
    assert [row for row in rows if "](../" not in row] == []


def test_the_rooms_are_those_of_the_harness():
    """With the single modules, which make the first row."""
    first_cells = re.findall(r"^\| (`.+?`) \|", SECTIONS["Rooms"], re.M)
    names = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    entries = {path.stem for path in CORE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert names == {name for name in entries if not name.startswith("_")} - {"py"}
