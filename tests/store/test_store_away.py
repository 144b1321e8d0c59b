"""A store that is away for a while, for good, or taken away from under a run."""

import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import StoreAway, StoreError
from dnnbench.store import aside, engine
from dnnbench.store.aside import GenerationRows, take_in
from dnnbench.store.patience import Patience
from dnnbench.store.store import open_store
from helpers import storing
from helpers.losing_proxy import LosingProxy
from helpers.postgres_server import start, stop

PATIENCE_S = 60.0


def waiting(note) -> Patience:
    """As long as any machine needs; `note` does what ends the wait."""
    return Patience(PATIENCE_S, note)


@pytest.fixture
def quick_locks(monkeypatch):
    """SQLite's own wait for a lock is over at once, as it is after half a minute."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0)


@pytest.fixture
def locked(tmp_path, quick_locks):
    """(path of a store with a run, cells, connection that holds its lock)"""
    path = tmp_path / "locked.sqlite"
    with open_store(path) as store:
        cells = storing.add_run(store, "r1")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield path, cells, holder


def test_a_lock_is_waited_for_beyond_sqlites_own_time(locked):
    path, cells, holder = locked
    with open_store(path, patience=waiting(lambda text: holder.execute("COMMIT"))) as store:
        storing.measure(store, "r1", cells, 0)
        assert store.done_generations("r1") == [0]


def test_waiting_is_told_once_with_its_limit(locked):
    path, cells, _ = locked
    told = []
    with open_store(path, patience=Patience(0.5, told.append)) as store, pytest.raises(StoreAway):
        storing.measure(store, "r1", cells, 0)
    (text,) = told
    assert "database is locked" in text
    assert "trying again for 0.5 s" in text


def test_a_store_waits_for_nothing_unless_it_is_told_to(locked):
    path, cells, _ = locked
    with open_store(path) as store, pytest.raises(StoreAway, match="database is locked"):
        storing.measure(store, "r1", cells, 0)


def test_what_is_wrong_is_not_tried_again(tmp_path):
    told = []
    with open_store(tmp_path / "x.sqlite", patience=waiting(told.append)) as store:
        storing.add_everything(store, "r1")
        with pytest.raises(StoreError, match="there already") as refusal:
            store.add_generation("r1", 0, {}, {})
    assert not isinstance(refusal.value, StoreAway)
    assert told == []


@pytest.mark.postgres
def test_a_restart_of_the_server_is_outlasted(server, new_database):
    with open_store(new_database(), patience=waiting(lambda text: start(server))) as store:
        cells = storing.add_run(store, "r1")
        stop(server)
        storing.measure(store, "r1", cells, 0)
        stop(server)
        assert store.done_generations("r1") == [0], "reading waits as well"


@pytest.fixture
def proxy(server):
    with tempfile.TemporaryDirectory() as folder:
        proxy = LosingProxy(Path(folder), server)
        yield proxy
        proxy.close()


WRITES = {
    "generation": lambda store: storing.measure(store, "r1", store.cells()["cell_id"].tolist(), 0),
    "run": lambda store: store.add_run(
        "r2", machine_id="m1", command=[], settings={}, seed=0, dnnbench_version="0", versions={}
    ),
    "cells": lambda store: store.add_cells("r1", [storing.cell_row("numpy")]),
}


@pytest.mark.postgres
@pytest.mark.parametrize("write", WRITES)
def test_a_write_whose_answer_was_lost_is_not_done_twice(server, new_database, proxy, write):
    address, told = new_database(), []
    with open_store(
        address.replace(server, str(proxy.folder)), patience=waiting(told.append)
    ) as store:
        storing.add_run(store, "r1")
        proxy.losing = 1
        WRITES[write](store)
        assert proxy.losing == 0
        assert len(told) == 1
    with open_store(address) as store:
        assert len(store.runs()) == (2 if write == "run" else 1)
        assert store.done_generations("r1") == ([0] if write == "generation" else [])
        assert len(store.cells("r1")) == (6 if write == "cells" else 5)


def removed(path):
    shutil.rmtree(path.parent)


def moved(path):
    path.parent.rename(path.parent.with_name("elsewhere"))


def replaced(path):
    moved(path)
    with open_store(path) as other:
        storing.add_everything(other, "r9")


@pytest.mark.parametrize("take_away", [removed, moved, replaced])
def test_what_was_written_into_a_file_that_was_taken_away_is_at_its_path_again(tmp_path, take_away):
    path, told = tmp_path / "results" / "x.sqlite", []
    with open_store(path, patience=waiting(told.append)) as store:
        cells = storing.add_run(store, "r1")
        storing.measure(store, "r1", cells, 0)
        take_away(path)
        storing.measure(store, "r1", cells, 1)
        storing.measure(store, "r1", cells, 2)
        written = storing.contents(store)
    (text,) = told
    assert "removed or replaced" in text
    with open_store(path, create=False) as store:
        assert store.done_generations("r1") == [0, 1, 2]
        assert storing.contents(store) == written
        assert ("r9" in set(store.runs()["run_id"])) is (take_away is replaced)


# A generation put aside.


def generation(cells, number=1, **facts) -> GenerationRows:
    first = {
        "arm": "torch",
        "workload": "mlp_digits",
        "batch_size": 64,
        "phase": "infer",
        "generation": number,
    }
    return GenerationRows(
        "r1", number, "2026-01-02T03:04:05.000006+00:00", facts,
        {cell: storing.visits(place) for place, cell in enumerate(cells)},
        [first | {"first_call_s": 0.2}], [{"cell_id": cells[0], "calls": np.int64(9)}],
        [storing.figure_row(cells[1], value=np.float64(7))],
    )  # fmt: skip


def test_a_generation_that_was_put_aside_is_the_one_that_would_have_been_stored(tmp_path):
    with open_store(tmp_path / "direct.sqlite") as store:
        generation(storing.add_run(store, "r1"), steal=0.5).add_to(store)
        wanted = storing.contents(store)
    with open_store(tmp_path / "later.sqlite") as store:
        generation(storing.add_run(store, "r1"), steal=0.5).put_aside([tmp_path / "aside"])
        assert take_in(store, "r1", [tmp_path / "aside"]) == [1]
        found = storing.contents(store)
    assert {name for name in wanted if wanted[name] != found[name]} == {"runs", "cells"}, (
        "these hold when they were made"
    )
    assert found["samples"] == wanted["samples"]
    assert len(found["figures"]) == 1


def test_a_file_of_before_there_were_figures_is_taken_in(tmp_path, store):
    file = generation(storing.add_run(store, "r1")).put_aside([tmp_path])
    old = json.loads(file.read_text())
    del old["figures"]
    file.write_text(json.dumps(old))
    assert take_in(store, "r1", [tmp_path]) == [1]
    assert store.figures("r1").empty


def test_it_is_taken_in_once(tmp_path, store):
    file = generation(storing.add_run(store, "r1")).put_aside([tmp_path])
    copy = file.read_text()
    assert take_in(store, "r1", [tmp_path]) == [1]
    assert not file.exists()
    file.write_text(copy)  # as if the process had ended before it removed the file
    before = storing.contents(store)
    assert take_in(store, "r1", [tmp_path]) == []
    assert not file.exists()
    assert storing.contents(store) == before


def test_what_was_put_aside_of_another_run_stays(tmp_path, store):
    storing.add_run(store, "r2")
    file = generation(storing.add_run(store, "r1")).put_aside([tmp_path])
    assert take_in(store, "r2", [tmp_path]) == []
    assert file.exists()


def test_a_file_that_the_store_does_not_take_either_stays(tmp_path, locked):
    path, cells, _ = locked
    file = generation(cells).put_aside([tmp_path])
    with open_store(path) as store, pytest.raises(StoreAway):
        take_in(store, "r1", [tmp_path])
    assert file.exists()


def test_no_password_is_put_aside(tmp_path, store):
    cells = storing.add_run(store, "r1")
    file = generation(cells, found="postgresql://me:hush7@host/x").put_aside([tmp_path])
    assert "hush7" not in file.read_text()
    assert "postgresql://me:***@host/x" in file.read_text()


def test_the_next_folder_is_tried_and_nothing_half_written_stays(tmp_path, store, monkeypatch):
    cells, full = storing.add_run(store, "r1"), tmp_path / "full"

    def replace(source, target, replace=aside.os.replace):
        if full in Path(target).parents:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(aside.os, "replace", replace)
    file = generation(cells).put_aside([full, tmp_path / "other"])
    assert file.parent == tmp_path / "other"
    assert list(full.iterdir()) == []
    with pytest.raises(StoreError, match=r"generation 2 of run r1 is lost.*No space left"):
        generation(cells).put_aside([full])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "move it away"),
        ("[]", "move it away"),
        ("{}", "move it away"),
        ('{"version": 99}', "upgrade dnnbench"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path, store, content, says):
    storing.add_run(store, "r1")
    (tmp_path / f"{aside.PREFIX}-r1-1.json").write_text(content)
    with pytest.raises(StoreError, match=says):
        take_in(store, "r1", [tmp_path])


@pytest.mark.parametrize(
    "change",
    [{"blocks": []}, {"cells": [5]}, {"first_calls": "rows"}, {"generation": "1"}, {"facts": [1]}],
    ids=lambda change: next(iter(change)),
)
def test_a_file_that_holds_something_else_is_told(tmp_path, store, change):
    file = generation(storing.add_run(store, "r1")).put_aside([tmp_path])
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(StoreError, match=f"{next(iter(change))} is no|5 is no row"):
        take_in(store, "r1", [tmp_path])
    assert store.done_generations("r1") == []


@pytest.mark.parametrize("number", [-1, 2**31, 10**30])
def test_a_file_with_a_number_that_no_store_holds_is_told(tmp_path, store, number):
    file = generation(storing.add_run(store, "r1")).put_aside([tmp_path])
    file.write_text(json.dumps(json.loads(file.read_text()) | {"generation": number}))
    with pytest.raises(
        StoreError, match=r"generation is not between 0 and 2147483647.*move it away"
    ):
        take_in(store, "r1", [tmp_path])


def test_a_pipe_in_place_of_a_file_is_told(tmp_path, store):
    storing.add_run(store, "r1")
    os.mkfifo(tmp_path / f"{aside.PREFIX}-r1-1.json")
    with pytest.raises(StoreError, match="named pipe"):
        take_in(store, "r1", [tmp_path])


def test_a_file_that_was_cut_short_is_told(tmp_path, store):
    file = generation(storing.add_run(store, "r1")).put_aside([tmp_path])
    stored = json.loads(file.read_text())
    block = next(iter(stored["blocks"].values()))
    block["blob"] = block["blob"][:-8]
    file.write_text(json.dumps(stored))
    with pytest.raises(StoreError, match="bytes"):
        take_in(store, "r1", [tmp_path])
