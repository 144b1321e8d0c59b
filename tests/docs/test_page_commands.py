"""Every command and option that a document, a workflow or a message names is one of the command
line, and every call from Python has arguments of that name: what is renamed fails here.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import dnnbench
import pytest
from helpers.page_commands import (
    commands_of,
    commands_of_script,
    complaint,
    known_options,
    mentions_of,
    options_of,
)

ROOT = Path(__file__).parents[2]
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "results/README.md")
DOCUMENTS = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "results/README.md")
    ),
]
WORKFLOWS = [ROOT / "action.yml", *sorted((ROOT / "examples/ci").glob("*.yml"))]
SOURCES = [
    path
    for folder in ("harness", "backends", "workloads")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
OF_OTHERS = {
    "--benchmark-compare-fail": "pytest-benchmark",
    "--benchmark-disable": "pytest-benchmark",
    "--benchmark-json": "pytest-benchmark",
    "--benchmark-save": "pytest-benchmark",
    "--benchmark-save-data": "pytest-benchmark",
    "--check": "a script that `dnnbench reproduce` writes",
    "--durations": "pytest",
    "--seconds": "make bench, and such a script",
}
"""Options that documents name and that are another program's."""


PROJECT = (ROOT / "docs/configuration.md").read_text().split("```toml\n")[1].split("```")[0]
SUITE = '[suites.ci]  # what `dnnbench init` writes\nworkloads = ["mlp_digits"]\n'


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A folder with the settings that documents speak of."""
    (tmp_path / "dnnbench.toml").write_text(PROJECT + SUITE)
    monkeypatch.chdir(tmp_path)


def name_of(path):
    return str(path.relative_to(ROOT))


def complaints(commands, **options):
    said = {command: complaint(command, **options) for command in commands}
    return {command: words for command, words in said.items() if words}


@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_every_command_of_a_page_parses(page):
    assert complaints(commands_of(page.read_text())) == {}


@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_every_command_in_a_sentence_exists(page):
    assert complaints(mentions_of(page.read_text()), whole=False) == {}


@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_every_option_in_a_sentence_exists(page):
    assert options_of(page.read_text()) - known_options() - set(OF_OTHERS) == set()


def test_every_option_of_another_tool_is_named_somewhere():
    assert (
        set(OF_OTHERS) - set().union(*(options_of(page.read_text()) for page in DOCUMENTS)) == set()
    )


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_every_command_of_a_workflow_parses(workflow):
    assert complaints(commands_of_script(workflow.read_text())) == {}


def test_every_command_that_a_message_advises_exists():
    advised = {
        command
        for source in SOURCES
        for command in re.findall(r"`dnnbench ([a-z][^`{}\n]*)`", source.read_text())
    }
    assert len(advised) > 20
    assert complaints(advised, whole=False) == {}


def test_enough_is_parsed():
    texts = [page.read_text() for page in DOCUMENTS]
    assert sum(len(commands_of(text)) for text in texts) > 150
    assert sum(len(mentions_of(text)) for text in texts) > 80
    assert len(set().union(*map(options_of, texts))) > 40


# Calls from Python.

CALL = re.compile(r"\bdnnbench\.(\w+)\(")


def calls_of(text: str) -> Iterator[ast.Call]:
    """Calls of dnnbench's own functions, wherever they stand, that are written out."""
    for match in CALL.finditer(text):
        if "..." not in (call := _balanced(text[match.start() :])):
            yield ast.parse(call, mode="eval").body


def _balanced(text: str) -> str:
    """As far as its first parenthesis is closed."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == ")" and depth == 0:
            return text[: place + 1]
    return text


def misnamed(call: ast.Call) -> list[str]:
    """The function, or arguments, that do not exist."""
    name = call.func.attr
    if not hasattr(dnnbench, name):
        return [name]
    known = inspect.signature(getattr(dnnbench, name)).parameters
    return [f"{name}({each.arg}=)" for each in call.keywords if each.arg and each.arg not in known]


PYTHON = [page for page in DOCUMENTS if page.name not in ("api.md",)]


@pytest.mark.parametrize("page", PYTHON, ids=name_of)
def test_every_argument_of_a_call_from_python_exists(page):
    assert [word for call in calls_of(page.read_text()) for word in misnamed(call)] == []


def test_calls_from_python_are_found():
    assert sum(len(list(calls_of(page.read_text()))) for page in PYTHON) > 20


@pytest.mark.parametrize("text", ["dnnbench.run('x', (1,), max_tim='2m')", "dnnbench.rum()"])
def test_a_call_with_another_name_is_refused(text):
    assert [misnamed(call) for call in calls_of(text)] != [[]]


# What the finder finds, and what it refuses.

SHOWN = """
    dnnbench list backends        dnnbench list devices  # both
    $ dnnbench runs show latest > out.txt

```toml
[suites.a]  # dnnbench run --suite a, dnnbench gate --suite a
```

```console
dnnbench run mlp_digits \\
    --quick
```

Text of `dnnbench run --quick` and of `--threads 1`.
"""


def test_commands_are_found_in_every_kind_of_block():
    assert commands_of(SHOWN) == [
        "list backends",
        "list devices  # both",
        "runs show latest > out.txt",
        "run --suite a",
        "gate --suite a",
        "run mlp_digits --quick",
    ]


def test_sentences_have_mentions_and_options():
    assert (mentions_of(SHOWN), options_of(SHOWN)) == (["run --quick"], {"--threads"})


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run --quickly", "No such option '--quickly'"),
        ("rum mlp_digits", "no command is called 'rum'"),
        ("runs shows latest", "No such command 'shows'"),
        ("runs show latest --detail-s", "No such option '--detail-s'"),
        ("run --generations many", "many"),
        ("run 'mlp", "No closing quotation"),
        ("compare", "Missing argument"),
    ],
)
def test_a_command_that_does_not_parse_is_refused(command, words):
    assert words in complaint(command)


def test_a_mention_may_lack_arguments():
    assert complaint("compare", whole=False) == ""
