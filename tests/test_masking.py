"""Passwords in every form that an address, a connection text or a command line can have."""

from urllib.parse import quote, quote_plus

import pytest
from dnnbench.api.progress import Bar
from dnnbench.cli.output import Output
from dnnbench.cli.progress import Lines
from dnnbench.masking import holds_password, masked, masked_values, masked_words
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

HIDDEN = {
    "postgresql://u:SECRET@h/d": "postgresql://u:***@h/d",
    "postgresql+psycopg://u:SECRET@h:5432/d": "postgresql+psycopg://u:***@h:5432/d",
    "postgresql://u:s%45CRET%40@h/d": "postgresql://u:***@h/d",
    "postgresql://:SECRET@/d": "postgresql://:***@/d",
    "postgresql://u@corp:SECRET@h/d": "postgresql://u@corp:***@h/d",
    "postgresql://u:SEC/RET@h/d": "postgresql://u:***@h/d",
    "postgresql://u:SEC@RET@h/d": "postgresql://u:***@h/d",
    "postgresql://u:SEC?RET@h/d": "postgresql://u:***@h/d",
    "postgresql://u:SEC:RET@h/d": "postgresql://u:***@h/d",
    "postgresql://u:1234@h/d": "postgresql://u:***@h/d",
    "postgresql://u:12/34@h/d": "postgresql://u:***@h/d",
    "postgresql://u/x:SECRET@h/d": "postgresql://u/x:***@h/d",
    "postgresql://u:SECRET": "postgresql://u:***",
    "postgresql://u:SECRET/d": "postgresql://u:***",
    "postgresql://h/d?user=u&password=SECRET&sslmode=require": (
        "postgresql://h/d?user=u&password=***&sslmode=require"
    ),
    "postgresql://u@h/d?pass%77ord=SECRET": "postgresql://u@h/d?pass%77ord=***",
    "postgresql://u@h/d?PASSWORD=SE@CRET": "postgresql://u@h/d?PASSWORD=***",
    "postgresql://u@h/d?sslpassword=SECRET": "postgresql://u@h/d?sslpassword=***",
    "postgresql:/u:SECRET@h/d": "postgresql:/u:***@h/d",
    "jdbc:postgresql://h/d?user=u&password=SECRET": "jdbc:postgresql://h/d?user=u&password=***",
    "host=h user=u password=SECRET dbname=d": "host=h user=u password=*** dbname=d",
    "PGPASSWORD=SECRET": "PGPASSWORD=***",
    "pa\u017f\u017fword=SECRET": "pa\u017f\u017fword=***",
    "host=h password = 'SEC \\' RET' dbname=d": "host=h password = '***' dbname=d",
    "Server=h;Password=SECRET": "Server=h;Password=***",
    "PGPASSWORD=SECRET dnnbench run": "PGPASSWORD=*** dnnbench run",
    "{'user': 'u', 'password': 'SEC RET', 'x': 1}": "{'user': 'u', 'password': '***', 'x': 1}",
    "https://SECRET@host/x.whl": "https://***@host/x.whl",
    "pkg @ git+https://u:SECRET@host/x": "pkg @ git+https://u:***@host/x",
    "https://host/x?access_token=SECRET": "https://host/x?access_token=***",
}
KEPT = (
    "postgresql://USER@HOST/DATABASE",
    "postgresql://u@h:5432/d?host=/tmp/pg",
    "store postgresql://127.0.0.1:1/none: no connection; write postgresql://USER@HOST/DATABASE",
    "http://[::1]:8080/x",
    "sqlite:////home/me/a:b.sqlite",
    "git+ssh://git@host:org/x",
    "torch:compile@new",
    "numpy:eager@/opt/python:3",
    "PATH=/usr/bin:/opt/a:/bin; use numpy@/opt/b",
    "data/password=x/part.npz",
    "check that it runs, and the address, user and password",
    "loss: 0.25 at step 3",
)


@pytest.mark.parametrize("text", HIDDEN)
def test_a_password_is_hidden_and_nothing_else(text):
    assert masked(text) == HIDDEN[text]


@pytest.mark.parametrize("text", HIDDEN)
def test_masking_again_changes_nothing(text):
    assert masked(HIDDEN[text]) == HIDDEN[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_holds_no_password_is_kept(text):
    assert masked(text) == text
    assert not holds_password(text)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:SEC RET@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d?password=SECRET", "postgresql://u@h/d?password=***"),
    ],
)
def test_a_sentence_keeps_what_stands_around_an_address(address, shown):
    text = "run 7 is in {}; the report is results/report.html"
    assert masked(text.format(address)) == text.format(shown)


@pytest.mark.parametrize("part", ["a", "a://b:c ", "password ", "'password'", "?a"])
def test_the_time_grows_with_the_length_and_no_faster(part):
    """An ending is all it asserts: with the square of this length, it would not end today."""
    assert len(masked(part * 200_000)) > 0


def test_a_word_ends_where_it_ends():
    words = ["run", "--store=postgresql://u:1 2@h/d", "host=h password='a b'"]
    assert masked_words(words) == ["run", "--store=postgresql://u:***@h/d", "host=h password='***'"]


def test_values_are_masked_all_the_way_down():
    stored = {
        "a": ["postgresql://u:SECRET@h", 7, None],
        "b": {"password=SECRET": "password=SECRET"},
    }
    shown = {"a": ["postgresql://u:***@h", 7, None], "b": {"password=***": "password=***"}}
    assert masked_values(stored) == shown


MARK = "M4RK"
PARTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(PARTS, PARTS)
def test_no_password_shows_whatever_it_holds(before, after):
    secret = before + MARK + after
    quoted = secret.replace("\\", "\\\\").replace("'", "\\'")
    for word in (
        f"postgresql://u:{secret}@h/d",
        f"--store=postgresql://u@h/d?password={quote(secret)}",
    ):
        assert MARK not in masked_words([word])[0]
    for text in (
        f"store postgresql://u:{quote(secret)}@h/d: gone",
        f"store postgresql://u@h/d?password={quote_plus(secret)}: gone",
        f"host=h password='{quoted}' dbname=d",
    ):
        assert MARK not in masked(text)


def _table():
    table = Table("arm", "reason")
    table.add_row("torch:eager", "lost postgresql://u:SECRET@h/d")
    return table


@pytest.mark.parametrize(
    "show",
    [
        lambda output: output.json({"where": ["postgresql://u:SECRET@h/d"]}),
        lambda output: output.text("postgresql://u:SECRET@h/d"),
        lambda output: output.table(_table()),
        lambda output: output.note("postgresql://u:SECRET@h/d"),
        lambda output: output.detail("postgresql://u:SECRET@h/d"),
        lambda output: output.error("postgresql://u:SECRET@h/d"),
        lambda output: Lines(output).note("postgresql://u:SECRET@h/d"),
        lambda output: Lines(output).stage("postgresql://u:SECRET@h/d", 1.0),
        lambda output: Bar(Progress(console=Console(stderr=True))).note(
            "postgresql://u:SECRET@h/d"
        ),
    ],
    ids=["json", "text", "table", "note", "detail", "error", "line", "stage", "bar"],
)
def test_every_way_out_of_a_command_masks(capsys, show):
    show(Output(verbosity=1))
    streams = capsys.readouterr()
    assert "postgresql://u:***@h/d" in streams.out + streams.err
    assert "SECRET" not in streams.out + streams.err
