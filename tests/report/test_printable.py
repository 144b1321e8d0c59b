"""What a terminal or a spreadsheet would obey is shown instead.

A narrow terminal loses columns before digits.
"""

import io
import json
import re

import pandas as pd
import pytest
from dnnbench.api.progress import Bar
from dnnbench.cli.output import Output
from dnnbench.cli.progress import Lines
from dnnbench.cli.show import _layers_table, describe
from dnnbench.plugins.catalog import find_workload
from dnnbench.report import html, terminal
from dnnbench.report.builders import sections_of
from dnnbench.report.columns import column_table
from dnnbench.report.evidence import gather
from dnnbench.report.summary import summarise, summary_only
from dnnbench.store.export import export
from dnnbench.store.store import open_store
from dnnbench.wording import one_line, printable
from helpers import reporting
from helpers.running import dnnbench
from rich.console import Console
from rich.text import Text

pytestmark = pytest.mark.slow

CLEAR = "\x1b[2J\x1b]0;owned\x07"
HOSTILE = f"a{CLEAR}b\rc\x9bd\u202ee\u2066f\x7f\udc80"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_what_is_obeyed_becomes_its_escape_and_all_else_stays():
    assert printable(HOSTILE) == r"a\x1b[2J\x1b]0;owned\x07b\rc\x9bd\u202ee\u2066f\x7f\udc80"
    plain = "µs ≤ 3×, naïve, 漢字, 👩\u200d🔬, tabs\tand\nlines"
    assert printable(plain) == plain
    assert one_line("a\tb\nPASS\u2028c") == r"a\tb\nPASS\u2028c"


@pytest.mark.parametrize("method", ["text", "note", "detail", "error"])
def test_no_line_of_output_commands_the_terminal(capsys, method):
    getattr(Output(verbosity=1), method)(f"no {HOSTILE} here\nnor there")
    told = "".join(capsys.readouterr())
    assert not OBEYED.search(told)
    assert r"\x1b[2J" in told
    assert "\nnor there" in told


@pytest.mark.parametrize("cell", [HOSTILE, Text(HOSTILE, "red")], ids=["str", "Text"])
def test_no_cell_of_a_table_commands_the_terminal_or_ends_its_row(capsys, cell):
    table = column_table("name", "what")
    table.add_row(cell, "x\ngate: PASS")
    Output().table(table)
    told = capsys.readouterr().out
    assert not OBEYED.search(told)
    assert len(told.splitlines()) == 2
    assert r"x\ngate: PASS" in told


def test_progress_commands_no_terminal(capsys):
    class Recorder:
        def __init__(self):
            self.console, self.said = Console(file=io.StringIO(), width=200), []

        def add_task(self, text, **rest):
            self.said.append(text)

        def update(self, task, advance, now):
            self.said.append(now)

        def remove_task(self, task):
            pass

    progress = Recorder()
    bar, lines = Bar(progress), Lines(Output(verbosity=1))
    for report in (bar, lines):
        report.stage(HOSTILE, 1)
        report.note(HOSTILE)
        report.advance(0.5, HOSTILE)
    bar._task = 1
    bar.advance(0.5, HOSTILE)
    said = "".join([*progress.said, progress.console.file.getvalue(), *capsys.readouterr()])
    assert said.count("owned") == 6
    assert not OBEYED.search(said)


ARMS = {"torch:eager": 1.0, f"jax:{CLEAR}\nSAME": 0.5}


@pytest.fixture
def hostile(tmp_path):
    """A store whose label, arms, workloads, reasons and facts hold what a terminal obeys."""
    with open_store(tmp_path / "s.sqlite") as store:
        cells = reporting.add_run(
            store, "r", arms=ARMS, workloads=(f"mlp{CLEAR}",), label=f"x{CLEAR}", generations=2
        )
        store.update_cells(
            "r", [{"cell_id": cells[1], "status": "failed", "reason": f"failed: {HOSTILE}"}]
        )
        row = {
            "arm": f"jax:{CLEAR}\nSAME",
            "workload": f"mlp{CLEAR}",
            "dtype": "float32",
            "kind": "loss",
        }
        check = {
            "optimizer": "",
            "tensor": CLEAR,
            "ratio": 2.0,
            "ok": False,
            "status": "differs",
            "reason": CLEAR,
        }
        store.add_agreement("r", [row | check])
        epoch = {
            "epoch": 1,
            "loss": 0.5,
            "test_loss": 0.5,
            "accuracy": 0.5,
            "seconds": 1.0,
            "n_test": 2,
            "wrong": 1,
        }
        store.add_epochs("r", [{k: row[k] for k in ("arm", "workload", "dtype")} | epoch])
        yield store


def test_no_table_of_a_run_commands_the_terminal(hostile, capsys):
    for part in terminal.drawn(sections_of(gather(hostile, "r"))):
        Output().table(part)
    told = capsys.readouterr().out
    assert r"\x1b[2J" in told
    assert not OBEYED.search(told)
    assert not re.search("^ *SAME", told, re.M)


def test_the_page_shows_what_a_browser_would_not(hostile):
    page = html.page_of([gather(hostile, "r")], static=True)
    assert r"\x1b[2J" in page
    assert not OBEYED.search(page)


def exported(store) -> str:
    out = io.StringIO()
    export(store, "r", "csv", summary_only(summarise(store, "r")), out)
    return out.getvalue()


def test_a_file_for_a_spreadsheet_commands_no_terminal(hostile):
    text = exported(hostile)
    assert r"\x1b[2J" in text
    assert not OBEYED.search(text)


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("x")', "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"]
)
def test_a_text_that_begins_a_formula_is_none_in_the_file(tmp_path, text):
    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(store, "r", label=text, workloads=(text,), generations=2)
        read = pd.read_csv(io.StringIO(exported(store)))
    for column in ("label", "workload"):
        assert set(read[column].dropna()) == {"'" + one_line(text)}


def test_numbers_are_never_changed(known, store):
    out = io.StringIO()
    cells = summarise(store, "known")
    cells["smallest_difference"] = -0.25
    export(store, "known", "csv", summary_only(cells), out)
    read = pd.read_csv(io.StringIO(out.getvalue()))
    assert (read["smallest_difference"].dropna() == -0.25).all()
    assert read["smallest_difference"].dtype == float
    assert "'-0.25" not in out.getvalue()


def test_a_message_about_a_key_commands_no_terminal_and_forges_no_line(tmp_path):
    key = f"mod{CLEAR}el\ngate: PASS"
    (tmp_path / "w.toml").write_text(f"{json.dumps(key)} = 1\n")
    done = dnnbench(tmp_path, "show", "w.toml")
    assert done.returncode == 2, done.stderr
    assert r"\x1b[2J" in done.stderr, done.stderr
    assert not OBEYED.search(done.stderr)
    assert not re.search("^gate: PASS", done.stderr, re.M)


FIGURES = ("589,824", "4,718,592", "5,873,664", "11.9 MFLOP", "595 kB")


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_show_cuts_no_figure_however_narrow_the_terminal(tmp_path, columns):
    done = dnnbench(tmp_path, "show", "cnn_digits", COLUMNS=str(columns))
    assert done.returncode == 0
    assert "…" not in done.stdout
    assert all(figure in done.stdout for figure in FIGURES), done.stdout
    table = [
        line for line in done.stdout.splitlines() if re.match("(layer|conv1|pool2|logits) ", line)
    ]
    assert len(table) == 4
    assert max(map(len, table)) <= columns
    assert ("left out: mathematics" in done.stdout) is (columns < 100)


def test_in_a_file_or_pipe_nothing_is_left_out(tmp_path):
    done = dnnbench(tmp_path, "list", "workloads")
    assert done.stdout.startswith("name ")
    assert "left out" not in done.stdout
    assert "presets" in done.stdout


def drawn(table, width) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(table, crop=False)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
def test_the_tables_of_a_run_cut_no_figure_at_any_width(known, width):
    for part in terminal.drawn(sections_of(known)):
        text = drawn(part, width)
        assert "…" not in text
        for column in getattr(part, "columns", ()):
            left_out = " ".join(text.split()).partition("left out: ")[2]
            assert column.header in left_out.split(", ") or all(
                str(cell) in text for cell in column.cells if column.no_wrap
            ), column.header


def test_columns_go_in_the_order_that_is_given_and_only_as_many_as_must():
    table = column_table("name", ">first", ">second", ">third", leave_out=("second", "first"))
    table.add_row("a" * 10, "1" * 10, "2" * 10, "3" * 10)
    assert "left out" not in drawn(table, 43)
    assert "left out: second\n" in drawn(table, 42)
    assert "1" * 10 in drawn(table, 42)
    narrow = drawn(table, 15)
    assert "left out: second, first" in " ".join(narrow.split())
    assert "a" * 10 + " " + "3" * 10 in narrow


def test_prose_loses_no_letter_and_a_heading_commands_no_terminal():
    table = column_table("name", f">jax{CLEAR}", "why")
    table.add_row("a", "1", "z" * 50)
    text = drawn(table, 30)
    assert text.count("z") == 50
    assert not OBEYED.search(text)


def test_what_is_still_too_wide_is_longer_than_the_line_and_whole(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "12")
    table = column_table("name", ">figure")
    table.add_row("a" * 10, "1,234,567")
    Output().table(table)
    assert "a" * 10 + " 1,234,567" in capsys.readouterr().out


def test_prose_is_broken_into_lines_before_a_column_goes():
    layers = describe(find_workload("cnn_digits"), 64)["layers"]
    wide, middle = drawn(_layers_table(layers), 120), drawn(_layers_table(layers), 78)
    assert len(wide.splitlines()) == 11 < len(middle.splitlines())
    assert "left out" not in middle
