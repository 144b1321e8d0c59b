"""A store survives a kill, several writers, and the versions of its own schema."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import StoreError
from dnnbench.store import schema
from dnnbench.store.store import open_store
from helpers import storing
from sqlalchemy import text

pytestmark = pytest.mark.slow

WRITER = """
import sys
from helpers import storing
from dnnbench.store.store import open_store

with open_store(sys.argv[1]) as store:
    cells = storing.add_run(store, "r1")
    for generation in range(100_000):
        storing.measure(store, "r1", cells, generation)
        print(generation, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_kill_9_loses_no_generation_that_was_committed(tmp_path, acknowledged):
    path = tmp_path / "killed.sqlite"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    }
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, env=environment
    )
    seen = [int(child.stdout.readline()) for _ in range(acknowledged)]
    child.send_signal(signal.SIGKILL)
    seen += [int(line) for line in child.stdout.read().split()]
    assert child.wait() == -signal.SIGKILL
    with open_store(path) as store:
        done = store.done_generations("r1")
        assert seen == list(range(len(seen)))
        assert done[: len(seen)] == seen
        assert len(done) <= len(seen) + 1
        read = store.samples(store.cells()["cell_id"])
        assert read.groupby(["cell_id", "generation"]).size().tolist() == [20] * 5 * len(done)
        storing.measure(store, "r1", store.cells()["cell_id"].tolist(), len(done))
    assert [entry.name for entry in tmp_path.iterdir()] == ["killed.sqlite"]


def test_many_may_open_a_new_store_at_once(tmp_path):
    for attempt in range(10):
        path = tmp_path / f"new{attempt}.sqlite"
        storing.at_once(lambda _, path=path: open_store(path).close())
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT version FROM dnnbench_schema").fetchall() == [
                (schema.SCHEMA_VERSION,)
            ]


def test_opening_waits_for_another_that_is_making_the_file(tmp_path):
    maker = sqlite3.connect(tmp_path / "new.sqlite", isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, maker.execute, ["COMMIT"])
    release.start()
    open_store(tmp_path / "new.sqlite").close()
    release.join()
    maker.close()


def test_several_runs_may_write_at_once(tmp_path):
    path = tmp_path / "shared.sqlite"
    storing.at_once(lambda place: storing.add_everything_at(path, place), count=4)
    with open_store(path) as store:
        assert store.generations().groupby("run_id").size().tolist() == [2] * 4


def test_an_older_store_is_brought_up_to_date(tmp_path, monkeypatch):
    path = tmp_path / "old.sqlite"
    with open_store(path) as store:
        cells = storing.add_everything(store, "r1")
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE cell DROP COLUMN unequal")
        old.execute("ALTER TABLE cell DROP COLUMN rank_group")
    now = schema.SCHEMA_VERSION
    steps = {
        now: lambda connection: connection.execute(
            text("ALTER TABLE cell ADD COLUMN unequal TEXT")
        ),
        now + 1: lambda connection: connection.execute(
            text("ALTER TABLE cell ADD COLUMN rank_group TEXT")
        ),
    }
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 2)
    with open_store(path) as store:
        store.update_cells(
            "r1", [{"cell_id": cells[0], "unequal": "different device", "rank_group": "a"}]
        )
        assert store.cells()["unequal"].tolist() == ["different device", None, None, None, None]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM dnnbench_schema").fetchall() == [(now + 2,)]


def test_a_store_of_version_1_lacks_test_losses_and_figures_alone(tmp_path):
    path = tmp_path / "first.sqlite"
    with open_store(path) as store:
        storing.add_everything(store, "r1")
        now = storing.contents(store)
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE epoch DROP COLUMN test_loss")
        for statement in storing.TO_VERSION_3:
            old.execute(statement)
        old.execute("UPDATE dnnbench_schema SET version = 1")
    with open_store(path) as store:
        assert store.epochs()["test_loss"].isna().all()
        assert len(store.epochs()) == 1
        changed = {name for name, rows in storing.contents(store).items() if rows != now[name]}
        lost = {"epochs", "figures"}
        assert changed == {"machines", *lost}, "the machine is one that its facts do not name"
        storing.add_everything(store, "r2")
        assert store.epochs("r2")["test_loss"].tolist() == [0.4]


CHECK = {
    "arm": "torch",
    "workload": "mlp_digits",
    "dtype": "float64",
    "kind": "loss",
    "optimizer": "",
    "status": "agrees",
    "ok": True,
}


def test_checks_of_a_store_of_version_5_count_no_tensors(tmp_path):
    path = tmp_path / "fifth.sqlite"
    with open_store(path) as store:
        storing.add_everything(store, "r1")
    with sqlite3.connect(path) as old:
        for statement in storing.TO_VERSION_5:
            old.execute(statement)
        old.execute("UPDATE dnnbench_schema SET version = 5")
    with open_store(path) as store:
        store.add_agreement("r1", [CHECK | {"tensors": 3}])
        counts = store.agreement("r1").set_index("kind")["tensors"]
    assert counts["loss"] == 3
    assert counts.isna()["outputs"]


OLD_CHECKS = {
    ("outputs", "", 0.4, True, ""): "agrees",
    ("gradients", "", 7.0, False, "rmse"): "differs",
    ("loss", "", np.inf, False, "3 of 4 elements are not finite"): "differs",
    (
        "state",
        "",
        np.inf,
        False,
        "the reference is not finite either, which decides nothing",
    ): "not compared",
    ("not checked", "", np.inf, False, "NotImplementedError"): "could not run",
    ("unsupported", "", None, True, "no float64 here"): "unsupported",
    ("unsupported optimizer", "adam", 0.0, True, "no adam here"): "unsupported",
    (
        "undetermined@5",
        "momentum",
        0.0,
        True,
        "honest float32 evaluations part by 78% of the way",
    ): "undetermined",
}
"""(kind, optimizer, ratio, ok, reason) as a store of version 3 has them,
and what they are called now.
"""


def test_checks_of_a_store_of_version_3_are_told_apart(tmp_path):
    path = tmp_path / "third.sqlite"
    with open_store(path) as store:
        storing.add_run(store, "r1")
    with sqlite3.connect(path) as old:
        for statement in storing.TO_VERSION_3:
            old.execute(statement)
        names = "run_id, arm, workload, dtype, kind, optimizer, ratio, ok, reason"
        old.executemany(
            f"INSERT INTO agreement ({names}) VALUES ('r1', 'a', 'w', 'float32', ?, ?, ?, ?, ?)",
            OLD_CHECKS,
        )
        old.execute("UPDATE dnnbench_schema SET version = 3")
    with open_store(path) as store:
        rows = store.agreement("r1")
    assert dict(zip(rows["kind"], rows["status"], strict=True)) == {
        check[0]: word for check, word in OLD_CHECKS.items()
    }
    assert rows.set_index("kind")["ratio"].dropna().to_dict() == {
        "outputs": 0.4,
        "gradients": 7.0,
        "loss": np.inf,
    }


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "old.sqlite"
    open_store(path).close()

    def half(connection):
        connection.execute(text("ALTER TABLE cell ADD COLUMN extra TEXT"))
        connection.execute(text("ALTER TABLE nowhere ADD COLUMN extra TEXT"))

    now = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", {now: half})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 1)
    with pytest.raises(StoreError, match="nowhere"):
        open_store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM dnnbench_schema").fetchall() == [(now,)]
        assert "extra" not in [row[1] for row in connection.execute("PRAGMA table_info(cell)")]


def test_every_older_version_has_a_way_up():
    assert sorted(schema.MIGRATIONS) == list(range(1, schema.SCHEMA_VERSION))


@pytest.mark.parametrize(
    ("version", "said"), [(0, "use an older dnnbench"), (99, "upgrade dnnbench")]
)
def test_versions_out_of_reach_are_refused(tmp_path, version, said):
    path = tmp_path / "other.sqlite"
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE dnnbench_schema SET version = ?", [version])
    with pytest.raises(StoreError, match=said):
        open_store(path)
