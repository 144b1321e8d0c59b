"""What reaches a terminal, a pipe and another encoding: the same words in each."""

import os
import re
import subprocess
import sys

import pytest
from dnnbench.cli.output import Output
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.running import dnnbench

ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4})")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a store of two runs, the second slower."""
    folder = tmp_path_factory.mktemp("streams")
    shape = {"workloads": ("mlp_digits",), "generations": 3, "rounds": 8}
    (folder / "results").mkdir()
    with open_store(folder / "results/dnnbench.sqlite") as store:
        reporting.add_run(store, "base", **shape)
        reporting.add_run(store, "new", seed=1, slower=1.1, **shape)
        reporting.add_checks(store, "new", list(reporting.SPEED))
    return folder


def said(place, *words, **environment):
    """Bytes on stdout."""
    line = [sys.executable, "-m", "dnnbench", *words]
    done = subprocess.run(line, cwd=place, env=os.environ | environment, capture_output=True)
    assert b"Traceback" not in done.stderr, done.stderr
    return done.stdout


WORDS = {
    "everything": ("runs", "show", "latest", "--details"),
    "a comparison": ("compare", "base", "new", "--details"),
}
WORDS_OF_BOTH = [
    "everything",
    pytest.param("a comparison", marks=pytest.mark.exhaustive),  # the same stream
]


@pytest.mark.slow
@pytest.mark.parametrize("name", WORDS_OF_BOTH)
def test_a_pipe_of_windows_1252_takes_every_word(place, name):
    text = said(place, *WORDS[name], PYTHONIOENCODING="cp1252", COLUMNS="80").decode("cp1252")
    assert not ESCAPED.search(text)
    unicode = said(place, *WORDS[name], PYTHONIOENCODING="utf-8", COLUMNS="80").decode()
    assert text.replace("<=", "≤").replace("inf ", "∞ ") == unicode


@pytest.mark.parametrize("name", WORDS_OF_BOTH)
def test_no_colour_reaches_a_pipe_or_whoever_wants_none(place, name):
    """FORCE_COLOR is rich's word for a pipe that takes colours."""
    words, colours = WORDS[name], {"FORCE_COLOR": "1", "TERM": "xterm"}
    plain = dnnbench(place, *words, COLUMNS="80").stdout
    coloured = dnnbench(place, *words, COLUMNS="80", **colours).stdout
    none = dnnbench(place, *words, COLUMNS="80", NO_COLOR="1", **colours).stdout
    assert plain
    assert not COLOUR.search(plain)
    assert COLOUR.search(coloured)
    assert COLOUR.sub("", coloured) == plain
    assert not re.search(r"\x1b\[[\d;]*3\d", none)


def test_what_an_encoding_lacks_has_a_plainer_word(monkeypatch, capfdbinary):
    import io

    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    Output().text("≤ 3 µs, ∞, 漢")
    stream.flush()
    assert stream.buffer.getvalue().decode("cp1252").rstrip() == "<= 3 µs, inf, \\u6f22"
