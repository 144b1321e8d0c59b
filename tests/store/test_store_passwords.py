"""No password stands in a store, whoever wrote it, nor in what is read from it."""

import json
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from dnnbench.errors import StoreError
from dnnbench.masking import masked_values
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store
from helpers import storing

pytestmark = pytest.mark.slow

MARK = "M4RK"
ADDRESS = f"postgresql://me:{MARK}@host/x"
COMMAND = ["dnnbench", "run", "--store", ADDRESS]
SHOWN = ["dnnbench", "run", "--store", "postgresql://me:***@host/x"]


@contextmanager
def opened(path):
    """The file without dnnbench, closed again: sqlite3's own context leaves it open,
    and its log unfolded.
    """
    with closing(sqlite3.connect(path)) as raw, raw:
        yield raw


def write_everywhere(store) -> None:
    """A run with the marked password in every text that a caller may write freely."""
    cells = storing.add_everything(
        store, "r1", command=COMMAND, settings={"notes": [ADDRESS]}, label=ADDRESS, revision=ADDRESS
    )
    store.add_machine("m1", facts={"flags": {"URL": ADDRESS}}, host_hash="c0ffee", label=ADDRESS)
    store.update_cells("r1", [{"cell_id": cells[0], "reason": ADDRESS, "unequal": ADDRESS}])
    store.add_generation("r1", 7, {"found": {"why": ADDRESS}}, {})
    check = {
        "arm": "numpy",
        "workload": "w",
        "dtype": "float32",
        "kind": "x",
        "optimizer": "",
        "ok": False,
    }
    check |= {"status": "differs"}
    store.add_agreement("r1", [check | {"reason": ADDRESS, "tensor": ADDRESS}])


def put_back(path) -> None:
    """The same as an older dnnbench would have left it."""
    with opened(path) as raw:
        raw.execute("UPDATE run SET command = ?, label = ?", [json.dumps(COMMAND), ADDRESS])
        raw.execute("UPDATE cell SET reason = ?", [f"{Path(ADDRESS)}: no such file"])
        raw.execute("UPDATE generation SET facts = ?", [json.dumps({"why": ADDRESS})])
        raw.execute("UPDATE agreement SET reason = ?", [ADDRESS])


def make_old(path) -> None:
    """Of schema version 2, which knew no masking and did not zero what it overwrote."""
    with opened(path) as raw:
        for statement in storing.TO_VERSION_3:
            raw.execute(statement)
        raw.execute("UPDATE dnnbench_schema SET version = 2")
        raw.execute("PRAGMA user_version = 0")


def raw_rows(path) -> str:
    with opened(path) as raw:
        return "\n".join(raw.iterdump())


def test_nothing_that_is_written_holds_a_password(store):
    write_everywhere(store)
    assert MARK not in raw_rows(store.place)


def test_what_is_written_is_there_but_for_the_password(store):
    write_everywhere(store)
    assert store.runs()["command"].item() == SHOWN


def test_what_an_older_dnnbench_writes_meanwhile_is_masked_when_read(store):
    storing.add_everything(store, "r1")
    put_back(store.place)
    assert MARK in raw_rows(store.place)
    assert MARK not in repr(storing.contents(store))
    assert store.runs()["command"].item() == SHOWN


@pytest.mark.parametrize("known", [False, True])
def test_what_an_older_dnnbench_writes_meanwhile_is_masked_when_merged(store, tmp_path, known):
    with open_store(tmp_path / "other.sqlite") as other:
        storing.add_everything(other, "r1")
        if known:
            merge(store, other)
            other.resume_run("r1")
        put_back(other.place)
        merge(store, other)
    assert MARK not in raw_rows(store.place)
    assert store.runs()["command"].item() == SHOWN


def with_rows(path) -> None:
    put_back(path)


def with_freed_pages(path) -> None:
    with opened(path) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        raw.execute("UPDATE cell SET reason = ?", [ADDRESS * 1000])
    with opened(path) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        raw.execute("UPDATE cell SET reason = NULL")


def with_a_log(path) -> None:
    """A process was killed before its write-ahead log was folded into the file."""
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA wal_autocheckpoint = 0")
    for number in range(
        200
    ):  # longer than the log of what scrubbing does, which overwrites its beginning
        raw.execute("UPDATE run SET command = ?", [json.dumps([*COMMAND, number])])
    raw.execute("UPDATE run SET command = '[]'")
    files = {file: file.read_bytes() for file in path.parent.iterdir()}
    raw.close()
    for file, content in files.items():
        file.write_bytes(content)


def bytes_with_mark(folder) -> list[str]:
    return [file.name for file in folder.iterdir() if MARK.encode() in file.read_bytes()]


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old" / "store.sqlite"
    with open_store(path) as store:
        storing.add_everything(store, "r1")
    make_old(path)
    return path


@pytest.mark.parametrize(
    ("spoil", "holding"),
    [
        (with_rows, "store.sqlite"),
        (with_freed_pages, "store.sqlite"),
        (with_a_log, "store.sqlite-wal"),
    ],
)
def test_no_byte_of_an_older_file_holds_a_password_once_it_was_opened(old, spoil, holding):
    spoil(old)
    assert holding in bytes_with_mark(old.parent)
    with open_store(old):
        assert bytes_with_mark(old.parent) == []
    assert bytes_with_mark(old.parent) == []


def test_an_older_store_keeps_all_but_its_passwords(old):
    with open_store(old) as store:
        before = storing.contents(store)
    make_old(old)
    put_back(old)
    with open_store(old) as store:
        assert store.runs()["command"].item() == SHOWN
        after = storing.contents(store)
        storing.measure(store, "r1", store.cells()["cell_id"].tolist(), 7)
    assert {name for name in before if before[name] != after[name]} == {
        "runs",
        "cells",
        "generations",
        "agreement",
    }
    assert after["samples"] == before["samples"]


def test_masking_zeroes_what_it_replaces_should_the_process_end_before_the_file_is_rewritten(
    old, monkeypatch
):
    with opened(old) as raw:
        raw.execute(
            "UPDATE cell SET reason = ?", [ADDRESS * 1000]
        )  # on pages of its own, which masking frees
    monkeypatch.setattr("dnnbench.store.schema.scrub", lambda engine: None)
    open_store(old).close()
    assert bytes_with_mark(old.parent) == []


def test_a_file_is_rewritten_again_if_that_was_cut_short(old):
    """Masked and of the new version, but the process ended before the file was rewritten."""
    open_store(old).close()
    with_freed_pages(old)
    with opened(old) as raw:
        raw.execute("PRAGMA user_version = 0")
    assert bytes_with_mark(old.parent) == ["store.sqlite"]
    open_store(old).close()
    assert bytes_with_mark(old.parent) == []


def test_a_file_is_rewritten_once(old):
    open_store(old).close()
    with_freed_pages(old)
    open_store(old).close()
    assert bytes_with_mark(old.parent) == ["store.sqlite"], "which shows that it was left alone"


@pytest.mark.parametrize(
    "command", ["null", json.dumps({"store": ADDRESS}), json.dumps([*COMMAND, 7])]
)
def test_a_command_of_another_shape_is_masked_too(old, command):
    with opened(old) as raw:
        raw.execute("UPDATE run SET command = ?", [command])
    with open_store(old) as store:
        assert store.runs()["command"].item() == masked_values(json.loads(command))
    assert bytes_with_mark(old.parent) == []


def test_broken_json_does_not_keep_an_older_store_from_being_masked(old):
    with opened(old) as raw:
        raw.execute("UPDATE generation SET facts = ?", ["{" + ADDRESS])
    open_store(old).close()
    assert bytes_with_mark(old.parent) == []


def test_a_reader_that_stays_is_told(old, monkeypatch):
    monkeypatch.setattr("dnnbench.store.engine.BUSY_TIMEOUT_S", 0.2)
    put_back(old)
    reader = sqlite3.connect(old, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM run").fetchall() == [(1,)]
    with pytest.raises(StoreError, match="old bytes could not be overwritten; try again"):
        open_store(old)
    reader.close()
    open_store(old).close()
    assert bytes_with_mark(old.parent) == []


def test_many_may_open_an_older_store_at_once(old):
    put_back(old)
    storing.at_once(lambda _: open_store(old).close())
    assert bytes_with_mark(old.parent) == []
