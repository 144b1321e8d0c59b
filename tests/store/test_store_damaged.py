"""A store whose contents were damaged is told as that, with its place,
by every command that reads it.
"""

import shutil
import sqlite3

import pytest
from dnnbench.cli.main import main
from dnnbench.store.store import open_store
from helpers import storing

RUN = "20260101-000000-aaaa"
BROKEN = "holds a text that is not JSON"
DAMAGES = {
    "settings cut short": ("UPDATE run SET settings = '{\"a\": '", BROKEN),
    "settings of another kind": (
        "UPDATE run SET settings = '[1, 2]'",
        "got [1, 2] for settings, expected a dict",
    ),
    "versions of another kind": (
        "UPDATE run SET versions = '3'",
        "got 3 for versions, expected a dict",
    ),
    "versions cut short": ("UPDATE run SET versions = '{'", BROKEN),
    "text for a number": ("UPDATE cell SET threads = 'many'", "for threads that is no int64"),
    "bytes for text": ("UPDATE cell SET arm = x'ff00'", r"got b'\xff\x00' for arm, expected a str"),
    "no UTF-8": ("UPDATE cell SET arm = CAST(x'ff00' AS TEXT)", "Could not decode to UTF-8"),
}
COMMANDS = {
    "export": ["export", "latest", "--store", "{store}"],
    "report": ["report", "{store}", "-o", "{store}.html"],
    "compare": ["compare", "latest", "latest", "--store", "{store}"],
    "history": ["history", "--store", "{store}"],
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The file of a store with one run."""
    path = tmp_path_factory.mktemp("sound") / "s.sqlite"
    with open_store(path) as store:
        storing.add_everything(store, RUN)
    return path


def damaged(sound, folder, statement):
    path = shutil.copy(sound, folder / "s.sqlite")
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def refused(path, arguments, capsys, says):
    code = main([argument.format(store=path) for argument in arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert f"dnnbench: store {path}: " in err
    assert says in err
    assert "the store is damaged; restore it from a copy" in err


@pytest.mark.parametrize("statement, says", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_value_is_named(sound, tmp_path, capsys, statement, says):
    refused(damaged(sound, tmp_path, statement), COMMANDS["export"], capsys, says)


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_every_command_tells_it(sound, tmp_path, capsys, arguments):
    refused(damaged(sound, tmp_path, "UPDATE run SET settings = '{'"), arguments, capsys, BROKEN)


@pytest.mark.parametrize(
    "table, arguments",
    [("generation", COMMANDS["report"]), ("machine", ["machine", "list", "--store", "{store}"])],
)
def test_facts_cut_short_are_told_too(sound, tmp_path, capsys, table, arguments):
    refused(damaged(sound, tmp_path, f"UPDATE {table} SET facts = ''"), arguments, capsys, BROKEN)


def test_a_merge_from_it_leaves_the_target_as_it_was(sound, tmp_path, capsys):
    path, target = (
        damaged(sound, tmp_path, "UPDATE generation SET facts = '{'"),
        tmp_path / "target.sqlite",
    )
    with open_store(target) as store:
        storing.add_everything(store, "20260102-000000-bbbb")
    assert main(["merge", str(target), str(path)]) == 2
    assert BROKEN in capsys.readouterr().err
    with open_store(target) as store:
        assert list(store.runs().run_id) == ["20260102-000000-bbbb"]


def test_a_run_whose_settings_ask_for_nothing_is_not_resumed(sound, tmp_path, capsys):
    path = damaged(sound, tmp_path, "UPDATE run SET settings = '{}'")
    assert main(["run", "--resume", "latest", "--wait", "--store", str(path)]) == 2
    assert "not those of one that can go on (KeyError: 'workloads')" in capsys.readouterr().err


def test_a_cell_with_operations_and_no_bytes_is_reported(sound, tmp_path):
    assert (
        main(["report", str(shutil.copy(sound, tmp_path)), "-o", str(tmp_path / "page.html")]) == 0
    )
