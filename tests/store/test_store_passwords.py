"""No password stands in a store, whoever wrote it, nor in what is read from it."""

import json
import sqlite3

import pytest
import storing
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store

MARK = "M4RK"
ADDRESS = f"postgresql://me:{MARK}@host/x"
COMMAND = ["dnnbench", "run", "--store", ADDRESS]
SHOWN = ["dnnbench", "run", "--store", "postgresql://me:***@host/x"]


def write_everywhere(store) -> None:
    """A run with the marked password in every text that a caller may write freely."""
    cells = storing.add_everything(
        store, "r1", command=COMMAND, settings={"notes": [ADDRESS]}, label=ADDRESS, revision=ADDRESS
    )
    store.add_machine("m1", facts={"flags": {"URL": ADDRESS}}, host_hash="c0ffee", label=ADDRESS)
    store.update_cells("r1", [{"cell_id": cells[0], "reason": ADDRESS, "unequal": ADDRESS}])
    store.add_generation("r1", 7, {"found": {"why": ADDRESS}}, {})
    check = {"arm": "numpy", "workload": "w", "dtype": "float32", "kind": "x", "optimizer": "", "ok": False}
    store.add_agreement("r1", [check | {"reason": ADDRESS, "tensor": ADDRESS}])


def put_back(path) -> None:
    """The same as an older dnnbench would have left it."""
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE run SET command = ?, label = ?", [json.dumps(COMMAND), ADDRESS])
        raw.execute("UPDATE cell SET reason = ?", [ADDRESS])
        raw.execute("UPDATE generation SET facts = ?", [json.dumps({"why": ADDRESS})])
        raw.execute("UPDATE agreement SET reason = ?", [ADDRESS])


def raw_rows(path) -> str:
    with sqlite3.connect(path) as raw:
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
