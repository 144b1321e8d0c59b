"""The store: what is written comes back, survives a kill, merges, migrates, and refuses with a reason."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import storing
from dnnbench.errors import StoreError, UsageError
from dnnbench.store import readme, samples, schema
from dnnbench.store.benchmark_json import statistics
from dnnbench.store.columns import COLUMNS, FRAMES
from dnnbench.store.export import export
from dnnbench.store.identity import cell_id
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store
from sqlalchemy import text

README = Path(__file__).parent.parent / "results" / "README.md"
NOBODY = 65534


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "folder" / "results.sqlite") as opened:
        yield opened


# What is written comes back.


def test_samples_come_back_bit_for_bit(store):
    storing.assert_round_trip(store)


def test_extreme_seconds_keep_their_bits():
    seconds = np.array([0.0, 5e-324, np.nextafter(1.0, 2.0), np.finfo(float).max])
    block = np.stack([np.arange(4.0), np.zeros(4), np.ones(4), seconds, np.full(4, 15.0)], axis=1)
    assert samples.unpack(samples.pack(block)).tobytes() == block.tobytes()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([0, 0, 1, np.nan, 0], "seconds = nan"),
        ([0, 0, 1, -1e-9, 0], "seconds = -1e-09"),
        ([0.5, 0, 1, 1, 0], "round = 0.5"),
        ([0, 0, 0, 1, 0], "k = 0.0"),
        ([0, 0, 1, 1, np.inf], "flags = inf"),
        ([0, 0, 1, 1], "shape (1, 4)"),
    ],
)
def test_bad_visits_are_refused(row, said):
    with pytest.raises(StoreError) as refusal:
        samples.pack(np.array([row]))
    assert said in str(refusal.value)


@pytest.mark.parametrize("change", [{"layout_version": 2}, {"dtype": ">f8"}, {"columns": "round"}, {"n": 7}], ids=str)
def test_blocks_of_another_layout_are_refused(change):
    block = samples.Block(**(vars(samples.pack(storing.visits(0))) | change))
    with pytest.raises(StoreError, match=r"got layout|expected 280 bytes"):
        samples.unpack(block)


def test_frames_have_the_registered_columns_filled_and_empty(store):
    def read():
        ids = store.cells()["cell_id"]
        yield from (
            ("runs", store.runs()),
            ("machines", store.machines()),
            ("cells", store.cells()),
            ("samples", store.samples(ids)),
            ("generations", store.generations()),
            ("first_calls", store.first_calls()),
            ("agreement", store.agreement()),
            ("epochs", store.epochs()),
        )

    for filled in (False, True):
        if filled:
            storing.add_everything(store, "r1")
        seen = dict(read())
        assert set(seen) | {"summary"} == set(FRAMES)
        for name, frame in seen.items():
            assert tuple(frame.columns) == FRAMES[name]
            assert [str(dtype) for dtype in frame.dtypes] == [COLUMNS[c].dtype for c in FRAMES[name]], name
            assert frame.empty is not filled


def test_the_registry_holds_the_columns_of_frames_and_no_others():
    assert {name for names in FRAMES.values() for name in names} == set(COLUMNS)
    assert all(column.meaning for column in COLUMNS.values())


def test_cells_carry_run_machine_and_versions(store):
    storing.add_everything(store, "r1", label="night", revision="abc123")
    cell = store.cells("r1").iloc[1]
    assert (cell.run_id, cell.label, cell.revision, cell.machine_id) == ("r1", "night", "abc123", "m1")
    assert cell.versions == {"torch": "2.13.0"} and cell.dnnbench_version == "0.1.0"
    assert cell.arm_key == '{"backend":"torch","mode":""}'
    assert (cell.calls, cell.flops, cell.status) == (3, 2**61, "ok")
    assert cell.cell_id == cell_id("r1", "mlp_digits", "5bec", "torch", 64, "infer")
    assert store.cells("r1")["arm"].tolist() == ["control", "torch", "torch", "jax:jit", "jax:jit"]


def test_cells_keep_the_order_in_which_they_were_added(store):
    storing.add_run(store, "r1")
    arms = [f"numpy@{place}" for place in (3, 1, 2)]
    for arm in arms:
        store.add_cells("r1", [storing.cell_row(arm)])
    assert store.cells()["arm"].tolist()[-3:] == arms


def test_reads_are_of_the_runs_asked_for(store):
    for run in ("r1", "r2", "r3"):
        storing.add_everything(store, run)
    for asked, found in (("r2", ["r2"]), (["r3", "r1"], ["r1", "r3"]), (None, ["r1", "r2", "r3"]), ([], [])):
        for read in (store.runs, store.cells, store.generations, store.agreement, store.epochs):
            assert sorted(set(read(asked)["run_id"])) == found


def test_what_databases_cannot_hold_becomes_missing_or_replaced(store):
    cells = storing.add_run(store, "r1", settings={"nan": np.nan, "inf": [np.inf], "n": np.arange(2)})
    store.update_cells("r1", [{"cell_id": cells[0], "reason": "stderr: a\0b\udcff", "calls": np.int64(4)}])
    check = {"arm": "torch", "workload": "w", "dtype": "float32", "optimizer": "", "ok": np.False_}
    ratios = {"nan": np.nan, "inf": np.float32(np.inf), "some": np.float32(0.5)}
    store.add_agreement("r1", [check | {"kind": kind, "ratio": ratio} for kind, ratio in ratios.items()])
    assert store.runs()["settings"].item() == {"nan": None, "inf": [None], "n": [0, 1]}
    assert store.cells()["reason"][0] == "stderr: a\N{REPLACEMENT CHARACTER}b?"
    read = store.agreement().set_index("kind")["ratio"]
    np.testing.assert_array_equal(read[list(ratios)], [np.nan, np.inf, 0.5])


def test_a_repeated_check_replaces_the_first(store):
    storing.add_everything(store, "r1")
    row = store.agreement().iloc[0].to_dict() | {"ratio": 3.0, "ok": False}
    store.add_agreement("r1", [row])
    assert store.agreement()[["ratio", "ok"]].to_numpy().tolist() == [[3.0, False]]


def test_a_run_ends_and_resumes(store):
    storing.add_run(store, "r1")
    for change, status, ended in (
        (lambda: None, "running", False),
        (lambda: store.finish_run("r1", "interrupted"), "interrupted", True),
        (lambda: store.resume_run("r1"), "running", False),
        (lambda: store.finish_run("r1", "complete"), "complete", True),
    ):
        change()
        run = store.runs().iloc[0]
        assert (run.status, run.finished is not None) == (status, ended)


REFUSED = {
    "unknown run": (lambda s: s.add_generation("r9", 0, {}, {}), "no run 'r9'"),
    "generation twice": (lambda s: s.add_generation("r1", 0, {}, {}), "there already"),
    "cell twice": (lambda s: s.add_cells("r1", [storing.control_row()]), "there already"),
    "unknown cell": (lambda s: s.update_cells("r1", [{"cell_id": "x", "calls": 1}]), "no cell 'x'"),
    "another run's cell": (
        lambda s: s.update_cells("r2", [{"cell_id": s.cells("r1").cell_id[0], "calls": 1}]),
        "no cell",
    ),
    "samples of an unknown cell": (
        lambda s: s.add_generation("r1", 5, {}, {"x": storing.visits(0)}),
        "has to be added first",
    ),
    "unknown machine": (lambda s: _bare_run(s, machine_id="m9"), "has to be added first"),
    "misspelt column": (lambda s: s.update_cells("r1", [{"reson": "x"}]), "did you mean 'reason'"),
    "column that may not change": (
        lambda s: s.update_cells("r1", [{"arm": "x"}]),
        "expected some of cell_id",
    ),
    "missing column": (lambda s: s.add_cells("r1", [{"workload": "w"}]), "lacks spec_hash, arm"),
    "cell status": (lambda s: s.add_cells("r1", [storing.cell_row(status="done")]), "pending, ok"),
    "run status": (lambda s: s.finish_run("r1", "done"), "complete, interrupted, failed"),
}


def _bare_run(store, machine_id):
    store.add_run("r3", machine_id=machine_id, command=[], settings={}, seed=0, dnnbench_version="0", versions={})


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_leaves_nothing(store, case):
    storing.add_everything(store, "r1")
    storing.add_run(store, "r2")
    before = storing.contents(store)
    write, said = REFUSED[case]
    with pytest.raises(StoreError) as refusal:
        write(store)
    assert said in str(refusal.value)
    assert storing.contents(store) == before


# It survives.

WRITER = """
import sys
import storing
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
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    child = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, env=environment)
    seen = [int(child.stdout.readline()) for _ in range(acknowledged)]
    child.send_signal(signal.SIGKILL)
    seen += [int(line) for line in child.stdout.read().split()]
    assert child.wait() == -signal.SIGKILL
    with open_store(path) as store:
        done = store.done_generations("r1")
        assert seen == list(range(len(seen))) and done[: len(seen)] == seen
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
            assert connection.execute("SELECT version FROM dnnbench_schema").fetchall() == [(schema.SCHEMA_VERSION,)]


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


# Versions.


def test_an_older_store_is_brought_up_to_date(tmp_path, monkeypatch):
    path = tmp_path / "old.sqlite"
    with open_store(path) as store:
        cells = storing.add_everything(store, "r1")
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE cell DROP COLUMN unequal")
        old.execute("ALTER TABLE cell DROP COLUMN rank_group")
    now = schema.SCHEMA_VERSION
    steps = {
        now: lambda connection: connection.execute(text("ALTER TABLE cell ADD COLUMN unequal TEXT")),
        now + 1: lambda connection: connection.execute(text("ALTER TABLE cell ADD COLUMN rank_group TEXT")),
    }
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 2)
    with open_store(path) as store:
        store.update_cells("r1", [{"cell_id": cells[0], "unequal": "different device", "rank_group": "a"}])
        assert store.cells()["unequal"].tolist() == ["different device", None, None, None, None]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM dnnbench_schema").fetchall() == [(now + 2,)]


def test_a_store_of_version_1_lacks_the_test_losses_alone(tmp_path):
    path = tmp_path / "first.sqlite"
    with open_store(path) as store:
        storing.add_everything(store, "r1")
        now = storing.contents(store)
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE epoch DROP COLUMN test_loss")
        old.execute("UPDATE dnnbench_schema SET version = 1")
    with open_store(path) as store:
        assert store.epochs()["test_loss"].isna().all() and len(store.epochs()) == 1
        assert {name for name, rows in storing.contents(store).items() if rows != now[name]} == {"epochs"}
        storing.add_everything(store, "r2")
        assert store.epochs("r2")["test_loss"].tolist() == [0.4]


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


@pytest.mark.parametrize(("version", "said"), [(0, "use an older dnnbench"), (99, "upgrade dnnbench")])
def test_versions_out_of_reach_are_refused(tmp_path, version, said):
    path = tmp_path / "other.sqlite"
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE dnnbench_schema SET version = ?", [version])
    with pytest.raises(StoreError, match=said):
        open_store(path)


# What cannot be opened.


def _text_file(folder):
    path = folder / "notes.txt"
    path.write_text("not a database at all, but a text that is longer than a header " * 10)
    return path


def _other_database(folder):
    with sqlite3.connect(folder / "bookmarks.sqlite") as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
    return folder / "bookmarks.sqlite"


def _damaged(folder):
    with open_store(folder / "damaged.sqlite") as store:
        storing.add_everything(store, "r1")
    whole = (folder / "damaged.sqlite").read_bytes()
    (folder / "damaged.sqlite").write_bytes(whole[:100] + b"\xff" * 8000 + whole[8100:])
    return folder / "damaged.sqlite"


BAD_TARGETS = {
    "folder": (lambda folder: folder, "name a file in it"),
    "text file": (_text_file, "something else than SQLite"),
    "other database": (_other_database, "other tables (bookmark)"),
    "damaged": (_damaged, "damaged"),
    "below a file": (lambda folder: _text_file(folder) / "a" / "b.sqlite", "Not a directory"),
    "no server": (
        lambda _: "postgresql://me:secret@127.0.0.1:1/none?connect_timeout=2",
        "check that it runs",
    ),
    "other kind": (lambda _: "mysql://localhost/x", "got a mysql database"),
    "nonsense": (lambda _: "http:///x:y:z@", "got a http database"),
    "bad port": (lambda _: "postgresql://me:secret@host:port/x", "expected a path"),
    "missing driver": (lambda _: "postgresql+nodriver://host/x", "postgresql://USER@HOST"),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_say_what_to_do(tmp_path, case):
    make, said = BAD_TARGETS[case]
    with pytest.raises(StoreError) as refusal:
        open_store(make(tmp_path))
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("store") and "secret" not in str(refusal.value)


@contextmanager
def as_common_user():
    """Root may write to any folder, so a test of permissions is somebody else for its time."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


@pytest.mark.parametrize(("mode", "said"), [(0o555, "a folder that you may write to"), (0o000, "Permission denied")])
def test_a_folder_without_permission_says_what_to_do(mode, said):
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        folder = Path(parent) / "closed"
        folder.mkdir(mode)
        with as_common_user(), pytest.raises(StoreError) as refusal:
            open_store(folder / "x.sqlite")
    assert said in str(refusal.value)


def test_a_missing_file_is_made_only_when_asked(tmp_path):
    path = tmp_path / "folder" / "new.sqlite"
    with pytest.raises(StoreError, match="no such file"):
        open_store(path, create=False)
    assert not path.parent.exists()
    open_store(path).close()
    open_store(path, create=False).close()
    open_store(f"sqlite:///{path}", create=False).close()


# Which run is meant.

RUNS = {
    "20260101-101502-aaaa": {"label": "baseline", "revision": "1234567890abcdef"},
    "20260102-101502-bbbb": {"label": "nightly", "revision": "1234567890abcdef"},
    "20260203-101502-cccc": {"label": "nightly", "revision": "fedcba0987654321"},
    "20260203-101502-dddd": {},
}


@pytest.fixture(scope="module")
def four_runs(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("find") / "runs.sqlite") as opened:
        for run_id, names in RUNS.items():
            storing.add_run(opened, run_id, **names)
        yield opened


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("20260102-101502-bbbb", "bbbb"),
        ("20260102", "bbbb"),
        ("20260203-101502-d", "dddd"),
        ("baseline", "aaaa"),
        ("nightly", "cccc"),
        ("1234567890abcdef", "bbbb"),
        ("fedcba09", "cccc"),
        ("latest", "dddd"),
    ],
)
def test_find_run(four_runs, given, meant):
    assert four_runs.find_run(given).endswith(meant)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("202602", "2 runs begin with '202602' (20260203-101502-dddd, 20260203-101502-cccc); give more"),
        ("", "4 runs begin"),
        (
            "basline",
            "did you mean baseline?; newest runs: 20260203-101502-dddd, 20260203-101502-cccc (nightly)",
        ),
        ("lastest", "did you mean latest?"),
        ("123", "no run has id, label or revision '123'"),
        ("zzz", "zzz'; newest runs"),
    ],
)
def test_find_run_says_what_there_is(four_runs, given, said):
    with pytest.raises(StoreError) as refusal:
        four_runs.find_run(given)
    assert said in str(refusal.value)


def test_an_empty_store_has_no_latest_run(store):
    with pytest.raises(StoreError, match="dnnbench run"):
        store.find_run("latest")


# Merging.


def test_stores_of_two_machines_merge(tmp_path):
    with open_store(tmp_path / "a.sqlite") as target, open_store(tmp_path / "b.sqlite") as source:
        storing.assert_merges(target, source)


def test_merging_a_store_with_itself_adds_nothing(store):
    storing.add_everything(store, "r1")
    assert set(merge(store, store).values()) == {0}


def test_a_run_that_went_on_replaces_its_older_copy_and_never_the_reverse(tmp_path):
    with open_store(tmp_path / "a.sqlite") as copy, open_store(tmp_path / "b.sqlite") as source:
        cells = storing.add_run(source, "r1")
        storing.measure(source, "r1", cells, 0)
        merge(copy, source)
        storing.measure(source, "r1", cells, 1)
        source.update_cells("r1", [{"cell_id": cells[0], "status": "ok", "calls": 9}])
        source.finish_run("r1", "complete")
        newest = storing.contents(source)
        assert set(merge(source, copy).values()) == {0}
        assert storing.contents(source) == newest
        added = merge(copy, source)
        assert (added["run"], added["generation"], added["sample_block"]) == (0, 1, len(cells))
        assert storing.contents(copy) == newest


# Exporting.


def _summary(store, run_id):
    cells = store.cells(run_id)["cell_id"]
    return pd.DataFrame({"cell_id": cells[:3], "call_s": [1e-3, np.nan, 3e-3], "verdict": ["SAME", None, None]})


def _export(store, run_id, format):
    out = io.StringIO()
    export(store, run_id, format, _summary(store, run_id), out)
    return out.getvalue()


def test_csv_has_every_cell_with_its_statistics(store):
    storing.add_everything(store, "r1")
    read = pd.read_csv(io.StringIO(_export(store, "r1", "csv")))
    assert list(read.columns) == [*FRAMES["cells"], "call_s", "verdict"]
    assert read["arm"].tolist() == store.cells("r1")["arm"].tolist()
    np.testing.assert_array_equal(read["call_s"], [1e-3, np.nan, 3e-3, np.nan, np.nan])
    assert json.loads(read["versions"][0]) == {"torch": "2.13.0"}


def test_json_is_strict_and_complete(store):
    storing.add_everything(store, "r1", label="night")

    def refuse(constant):
        raise AssertionError(constant)

    document = json.loads(_export(store, "r1", "json"), parse_constant=refuse)
    assert document["schema_version"] == 1
    assert document["run"]["label"] == "night" and document["run"]["settings"] == {"precision": 0.01}
    assert document["machine"]["facts"] == {"cpu": "A", "cores": 2}
    assert document["units"]["call_s"] == "s"
    assert [cell["call_s"] for cell in document["cells"]] == [1e-3, None, 3e-3, None, None]
    assert document["cells"][0]["flops"] is None and document["cells"][1]["flops"] == 2**61
    assert [len(document[name]) for name in ("first_calls", "agreement", "epochs")] == [1, 1, 1]


def test_pytest_benchmark_itself_reads_the_export(store, tmp_path):
    storing.add_everything(store, "r1")
    file = tmp_path / "0001_run.json"
    file.write_text(_export(store, "r1", "pytest-benchmark"))
    table = tmp_path / "table.csv"
    options = ["--group-by", "param:phase", "--columns", "min,median,max,rounds,iterations", "--sort", "name"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", str(file), "--csv", str(table), *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    read = pd.read_csv(table).set_index("name")
    assert "Failed to load" not in done.stderr
    cells = store.cells("r1")
    assert len(read) == len(cells)
    for cell in cells.itertuples():
        if cell.phase == "control":
            continue
        name = f"dnnbench::{cell.phase}[mlp_digits-64-{cell.arm}]"
        visits = store.samples(cell.cell_id)
        per_call_s = (visits["seconds"] / visits["k"]).to_numpy()
        expected = [per_call_s.min(), np.median(per_call_s), per_call_s.max(), 40, 3]
        shown = read.loc[name, ["min", "median", "max", "rounds", "iterations"]]
        np.testing.assert_allclose(shown.astype(float), expected, rtol=1e-12)
        assert f"{cell.phase}[mlp_digits-64-{cell.arm}]" in done.stdout


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 30, 31, 32, 33])
def test_statistics_are_those_of_pytest_benchmark(count):
    from pytest_benchmark.stats import Stats

    data = np.random.default_rng(count).lognormal(size=count)
    theirs = Stats()
    for value in data:
        theirs.update(float(value))
    ours = statistics(data)
    assert set(Stats.fields) <= set(ours)
    assert ours.pop("outliers") == theirs.outliers
    for field in ours.keys() - {"data"}:
        assert ours[field] == pytest.approx(getattr(theirs, field), rel=1e-12), field


@pytest.mark.parametrize(
    ("format", "summary", "kind", "said"),
    [
        ("xml", {"cell_id": []}, UsageError, "csv, json, pytest-benchmark"),
        ("csv", {"cell_id": [], "median": []}, StoreError, "'median'"),
        ("csv", {"call_s": []}, StoreError, "expected cell_id"),
        ("csv", {"cell_id": ["a", "a"]}, StoreError, "once each"),
        ("pytest-benchmark", {"cell_id": []}, StoreError, "no timed cell"),
    ],
)
def test_bad_exports_say_why(store, format, summary, kind, said):
    storing.add_run(store, "r1")
    with pytest.raises(kind) as refusal:
        export(store, "r1", format, pd.DataFrame(summary, dtype=object), io.StringIO())
    assert said in str(refusal.value)


# What it costs and what it says.


def test_the_readme_is_the_one_the_schema_makes():
    assert README.read_text() == readme.render()


def test_the_registry_imports_neither_pandas_nor_sqlalchemy():
    code = "import sys, dnnbench.store.columns, dnnbench.store.samples; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "sqlalchemy", "numpy"} & set(loaded.stdout.split())
