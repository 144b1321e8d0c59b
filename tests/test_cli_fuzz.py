"""Argument lists that nobody wrote: each is answered, or refused in words of bounded length; none is called a bug."""

import contextlib
import io
import sqlite3
from collections import Counter

import pytest
import rich_click as click
import storing
from dnnbench.cli.failures import LONGEST_MESSAGE
from dnnbench.cli.main import COMMANDS, cli, main
from dnnbench.store.store import open_store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import TINY

EXAMPLES = {("report",): 15}
"""A page takes its time; of other commands 80."""
FUZZ = settings( deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
RUN, SECOND = "20260101-000000-aaaa", "20260102-000000-bbbb"
NUMBERS = ["0", "-1", "1", "7", "1,8", "1,,8", "0.5", "5%", "60s", "9" * 5000, f"{'1' * 20_000}x", "9" * 400, str(2**63)]
NAMES = [
    *("", " ", "-", "--", "latest", RUN, "zzz", "nan", "inf", "all", "auto", "cpu", "cpu:0", "cpu:", "infer", "float32", "csv"),
    *("numpy", "numpy@", "numpy:", "numpy:eager", "numpy@zzz", "numpy,torch", "all:all", "torch:zzz", "mlp_digits"),
    *("mlp_digits[batch=3]", "mlp_digits[", "mlp_digits[batch=zzz]", "--json", "--label", "-q", "a=b", "%s", "{}", "=1+1"),
    *("x" * 300, "x" * 100_000, "\udcff", "\x1b[2J", "µ", "\n" * 3000),
]
FILES = [
    *("net.toml", "broken.toml", "zzz.toml", "net.txt", "s.sqlite", "damaged.sqlite", "zzz.sqlite", ".", "out.html", "new/out"),
    *("~nosuchuser/a.toml", f"{'x' * 300}.toml", "/dev/full", "/dev/null", "sqlite://", "postgresql://"),
    *("postgresql://u@localhost:1/d", "mysql://u@h/d", "u:p@h"),
]
TEXTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), max_size=8)
HOSTILE = st.sampled_from([*NUMBERS, *NAMES, *FILES]) | TEXTS

PLAUSIBLE = {
    "backends": ["numpy", "numpy:eager"],
    "base": ["numpy"],
    "batch_sizes": ["1", "2,4"],
    "batch_size": ["1", "16"],
    "by": ["machine"],
    "device": ["cpu", "auto"],
    "dtype": ["float32"],
    "fail_on": ["5%"],
    "form": ["csv", "json"],
    "generations": ["1", "auto"],
    "label": ["night"],
    "max_time": ["5s"],
    "memory": ["native"],
    "out": ["out.html", "new/out"],
    "phases": ["infer", "all"],
    "precision": ["2%"],
    "seed": ["7"],
    "store": ["s.sqlite"],
    "threads": ["1"],
    "timing": ["latency"],
    "wanted": ["latest"],
    "base_run": ["latest"],
}
"""Values that the options take, by the names of their parameters."""
WORDS = {
    ("list",): ["backends", "workloads"],
    ("show",): ["mlp_digits", "net.toml"],
    ("schema",): [],
    ("compare",): ["latest", RUN, SECOND],
    ("report",): ["s.sqlite"],
    ("merge",): ["s.sqlite", "new.sqlite"],
    ("export",): ["latest", RUN],
    ("machine", "list"): [],
    ("envs", "list"): [],
    ("run", "--dry-run"): ["mlp_digits", "net.toml"],
}
"""What commands take, which start no worker; by their beginning, which is never damaged."""
SELDOM = st.integers(0, 5).map(lambda drawn: drawn == 5)


def parameters_of(beginning):
    """The options of a command, as click has them."""
    _, command, _ = cli.resolve_command(None, [beginning[0]])
    if isinstance(command, click.RichGroup):
        command = command.commands[beginning[1]]
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


@st.composite
def argument_lists(draw, beginning):
    """Mostly what the command takes; seldom a hostile value, word or option, and any option twice."""
    arguments = [*beginning]
    words = WORDS[beginning]
    count = 2 if beginning[0] in ("compare", "merge") else min(len(words), 1)
    for _ in range(draw(st.integers(0, 3)) if draw(SELDOM) else count):
        arguments.append(draw(HOSTILE if draw(SELDOM) or not words else st.sampled_from(words)))
    for _ in range(draw(st.integers(0, 3))):
        option = draw(st.sampled_from(parameters_of(beginning)))
        arguments.append(draw(st.sampled_from([*option.opts, *option.secondary_opts])))
        plausible = PLAUSIBLE.get(option.name)
        if not option.is_flag:
            arguments.append(draw(HOSTILE if draw(SELDOM) or not plausible else st.sampled_from(plausible)))
    if draw(SELDOM):
        arguments.insert(draw(st.integers(len(beginning), len(arguments))), draw(HOSTILE))
    return arguments


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with files of every kind that a command reads."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "net.toml").write_text(TINY)
    (folder / "broken.toml").write_text("name = ")
    (folder / "net.txt").write_text(TINY)
    for name in ("s.sqlite", "results/dnnbench.sqlite"):
        with open_store(folder / name) as store:
            storing.add_everything(store, RUN)
            storing.add_everything(store, SECOND)
    with open_store(folder / "damaged.sqlite") as store:
        storing.add_everything(store, RUN)
    with contextlib.closing(sqlite3.connect(folder / "damaged.sqlite")) as damaged:
        damaged.execute("UPDATE run SET settings = '{'")
        damaged.commit()
    return folder


@pytest.fixture(autouse=True)
def inside(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("DNNBENCH_ENVS", str(place / "envs"))
    monkeypatch.delenv("DNNBENCH_DEBUG", raising=False)


def answered_or_refused(arguments):
    """The exit code, after what holds of every one."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    assert code in (0, 2, 4), err.getvalue()
    assert "bug in dnnbench" not in err.getvalue()
    if not {"-v", "--verbose"} & set(arguments):
        assert "Traceback" not in err.getvalue()
    assert len(err.getvalue()) <= LONGEST_MESSAGE
    assert (code == 0) or err.getvalue()
    return code


@pytest.mark.parametrize("beginning", WORDS, ids=" ".join)
def test_no_argument_list_gives_anything_but_an_answer_or_words(beginning):
    codes = Counter()

    @settings(FUZZ, max_examples=EXAMPLES.get(beginning, 80))
    @given(argument_lists(beginning))
    def look(arguments):
        codes[answered_or_refused(arguments)] += 1

    look()
    assert min(codes[0], codes[2]) >= 3, f"lists that are answered, and others that are refused, are drawn: {codes}"


@settings(FUZZ, max_examples=200)
@given(st.lists(HOSTILE.filter(lambda word: word not in COMMANDS), min_size=1, max_size=4))
def test_no_word_in_a_commands_place_gives_anything_but_words(words):
    answered_or_refused(words)
