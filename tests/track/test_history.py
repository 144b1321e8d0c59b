"""dnnbench history: what the command says of a store of nights, and its site."""

import json
import re
import shutil

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.report.sparkline import sparkline
from dnnbench.store.schema import RUN, SCHEMA_VERSION, VERSION
from dnnbench.store.store import open_store
from dnnbench.track.history import Machine
from dnnbench.track.site import file_of
from helpers.nights import SHAPE, add_nights, date_run
from sqlalchemy import update

pytestmark = pytest.mark.slow

NIGHTS = 21


@pytest.fixture
def said(nightly, capsys, monkeypatch):
    """(exit code, stdout, stderr) of `history` on that store, or another."""

    def run(*words, store=nightly):
        monkeypatch.setenv("COLUMNS", "400")
        return main(["history", *words, "--store", str(store)]), *capsys.readouterr()

    return run


def test_a_new_slowdown_ends_with_3_and_its_name(said):
    code, out, err = said()
    assert code == exitcodes.REGRESSION
    assert "2 cells over 21 runs of machine m1, 2026-09-01 to 2026-09-21: 1 change slower" in out
    assert "mlp_digits/64 infer torch:eager: slower since run night017" in err


def test_runs_of_one_day_name_it_once(tmp_path, said):
    with open_store(tmp_path / "s.sqlite") as store:
        add_nights(store, [1.0])
    _, out, _ = said(store=tmp_path / "s.sqlite")
    assert "over 1 run of machine m1, 2026-09-01: " in out


def test_a_machine_without_a_label_is_named_as_one():
    assert Machine("98d0c0f1", None).name == "machine 98d0c0f1"


def test_a_night_later_the_slowdown_is_no_news(nightly, tmp_path, said):
    copy = shutil.copy(nightly, tmp_path / "s.sqlite")
    with open_store(copy) as store:
        add_nights(store, [1.0], first=NIGHTS, arms=SHAPE["arms"] | {"torch:eager": 1.2})
    code, out, _ = said(store=copy)
    assert code == exitcodes.OK
    assert "1 change slower" in out


def test_a_change_is_told_with_its_runs_commits_and_that_it_was_selected(said):
    _, out, _ = said()
    (sentence,) = [line for line in out.splitlines() if "changed to" in line]
    assert re.search(
        r"changed to 1\.\d+ times as long \[1\.\d+, 1\.\d+\], after selection", sentence
    )
    assert "between run night016 and run night017, first seen with run night020" in sentence
    assert "commits 0016abcda..0017abcda" in sentence


def test_the_trend_is_a_line_of_blocks(said):
    _, out, _ = said()
    (row,) = [line for line in out.splitlines() if "torch:eager" in line and "▁" in line]
    assert re.search("[▁▂]{17}[▇█]{4}", row)


def test_details_show_every_point_with_its_interval(said):
    _, out, _ = said("--details")
    for night in range(NIGHTS):
        assert len(re.findall(rf"night{night:03d} .*\[\d+\.\d+, \d+\.\d+\]", out)) >= 2


def test_everything_is_there_for_a_script(said):
    code, out, _ = said("--json")
    document = json.loads(out)
    assert code == exitcodes.REGRESSION
    assert document["schema_version"] == 2
    assert document["unit"] == "control"
    (change,) = document["change_points"]
    assert change["after_selection"] is True
    assert (change["before_run"], change["after_run"]) == ("night016", "night017")
    assert change["ratio"] == pytest.approx(1.2, rel=0.01)
    assert [len(cell["points"]) for cell in document["cells"]] == [NIGHTS] * 2
    point = document["cells"][0]["points"][0]
    assert point["low"] < point["value"] < point["high"]


def test_a_site_has_an_index_and_a_page_a_workload(said, tmp_path):
    _, out, _ = said("--site", str(tmp_path / "public"))
    index, page = (
        (tmp_path / "public" / name).read_text() for name in ("index.html", "mlp_digits.html")
    )
    assert str(tmp_path / "public" / "index.html") in out
    assert 'href="mlp_digits.html"' in index
    assert page.count("<svg") == 2
    assert page.count("night005") >= 2
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', index + page)
    assert "<script" not in index + page


@pytest.mark.parametrize("name", ["index", "a/b", "../up", "net.py:make[n=2]", "résumé", ".hidden"])
def test_every_workload_has_a_file_of_its_own(name):
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*-[0-9a-f]{8}\.html", file_of(name))


def test_a_name_that_a_file_may_have_is_kept():
    assert file_of("mlp_digits") == "mlp_digits.html"


def test_of_other_machines_the_notes_say_how_many(said, tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        add_nights(store, [1.0])
        add_nights(store, [1.0], first=1, machine="m2")
    _, out, err = said(store=tmp_path / "s.sqlite")
    assert "1 run of machine m2" in out
    assert "1 run(s) of other machines are not shown: --machine machine m1" in err
    assert "the longest has 1" in err


def test_without_ruptures_the_trends_are_shown_and_what_to_install(said, monkeypatch):
    monkeypatch.setattr("dnnbench.stats.change_points.find_spec", lambda name: None)
    code, out, err = said()
    assert code == exitcodes.OK
    assert "change points were not looked for" in out
    assert "pip install 'dnnbench[history]'" in err


def store_of(folder, case):
    """A store of which no history can be shown."""
    with open_store(folder / "s.sqlite") as store:
        if case == "no run":
            return
        add_nights(store, [1.0])
        if case == "a clock that went backwards":
            date_run(store, "night000", 0, hours=-1)
        if case == "a newer schema":
            with store.writing() as connection:
                connection.execute(update(VERSION).values(version=SCHEMA_VERSION + 1))


HOPELESS = {
    "no run": ((), exitcodes.NOTHING_MEASURED, "holds no run yet; make one with `dnnbench run`"),
    "a clock that went backwards": ((), exitcodes.NOTHING_MEASURED, "the clock went backwards"),
    "a newer schema": ((), exitcodes.USAGE, "upgrade dnnbench"),
    "a later day": (("--since", "2027-01-01"), exitcodes.NOTHING_MEASURED, "since 2027-01-01"),
    "no date": (("--since", "soon"), exitcodes.USAGE, "expected a date such as 2026-11-01"),
    "another workload": (("mlp_digit",), exitcodes.USAGE, "did you mean 'mlp_digits'"),
    "another machine": (("--machine", "m3"), exitcodes.USAGE, "no machine of the store"),
    "no change point": (("--confirm",), exitcodes.USAGE, "no change point to slower to confirm"),
}


@pytest.mark.parametrize("case", HOPELESS)
def test_what_cannot_be_shown_ends_with_its_code_and_why(tmp_path, said, case):
    words, code, why = HOPELESS[case]
    store_of(tmp_path, case)
    ended, out, err = said(*words, store=tmp_path / "s.sqlite")
    assert (ended, out) == (code, "")
    assert why in err
    assert "Traceback" not in err


def test_a_store_that_is_not_there_is_not_made(said, tmp_path):
    code, _, err = said(store=tmp_path / "none.sqlite")
    assert code == exitcodes.USAGE
    assert "none.sqlite" in err
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ([[1.0, 1.0, 1.0]], "▅▅▅"),
        ([[1.0, 2.0]], "▁█"),
        ([[1.0, None], [2.0]], "▁·|█"),
        ([[None]], "·"),
        ([[1.0, 1.001]], "▄▅"),
        ([[1.0] * 50], "▅" * 40),
    ],
)
def test_a_sparkline_shows_what_lies_apart(parts, line):
    assert sparkline(parts) == line


@pytest.mark.parametrize(
    ("revision", "why"),
    [
        (None, "recorded no revision"),
        ("abcd+", "was measured with changes that no commit has"),
        ("abcd", "both sides of the change are revision abcd"),
    ],
)
def test_only_two_commits_can_be_measured_afresh(nightly, tmp_path, said, revision, why):
    copy = shutil.copy(nightly, tmp_path / "s.sqlite")
    with open_store(copy) as store, store.writing() as connection:
        connection.execute(update(RUN).values(revision=revision))
    code, out, err = said("--confirm", store=copy)
    assert (code, out) == (exitcodes.USAGE, "")
    assert why in err


@pytest.mark.slow
def test_a_pipe_without_blocks_gets_plainer_signs(nightly):
    import os
    import subprocess
    import sys

    line = [sys.executable, "-m", "dnnbench", "history", "--store", str(nightly)]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    out = subprocess.run(line, env=environment, capture_output=True).stdout.decode("cp1252")
    assert re.search(r"_{17}#{4}", out)
