"""What is written into a store comes back, or is refused with a reason."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import StoreError
from dnnbench.store import readme, samples
from dnnbench.store.columns import COLUMNS, FRAMES
from dnnbench.store.identity import cell_id
from helpers import storing

README = Path(__file__).parents[2] / "results" / "README.md"


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


@pytest.mark.parametrize(
    "change", [{"layout_version": 2}, {"dtype": ">f8"}, {"columns": "round"}, {"n": 7}], ids=str
)
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
            ("findings", store.findings()),
            ("figures", store.figures()),
        )

    for filled in (False, True):
        if filled:
            cells = storing.add_everything(store, "r1")
            store.add_findings("r1", [storing.finding_row(cells[1])])
        seen = dict(read())
        assert set(seen) | {"summary"} == set(FRAMES)
        for name, frame in seen.items():
            assert tuple(frame.columns) == FRAMES[name]
            assert [str(dtype) for dtype in frame.dtypes] == [
                COLUMNS[c].dtype for c in FRAMES[name]
            ], name
            assert frame.empty is not filled


def test_the_registry_holds_the_columns_of_frames_and_no_others():
    assert {name for names in FRAMES.values() for name in names} == set(COLUMNS)
    assert all(column.meaning for column in COLUMNS.values())


def test_cells_carry_run_machine_and_versions(store):
    storing.add_everything(store, "r1", label="night", revision="abc123")
    cell = store.cells("r1").iloc[1]
    assert (cell.run_id, cell.label, cell.revision, cell.machine_id) == (
        "r1",
        "night",
        "abc123",
        "m1",
    )
    assert cell.versions == {"torch": "2.13.0"}
    assert cell.dnnbench_version == "0.1.0"
    assert cell.arm_key == '{"backend":"torch","mode":""}'
    assert (cell.calls, cell.flops, cell.status) == (3, 2**61, "ok")
    assert cell.cell_id == cell_id("r1", "mlp_digits", "5bec", "torch", cell.arm_key, 64, "infer")
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
    for asked, found in (
        ("r2", ["r2"]),
        (["r3", "r1"], ["r1", "r3"]),
        (None, ["r1", "r2", "r3"]),
        ([], []),
    ):
        for read in (store.runs, store.cells, store.generations, store.agreement, store.epochs):
            assert sorted(set(read(asked)["run_id"])) == found


def test_what_databases_cannot_hold_becomes_missing_or_replaced(store):
    cells = storing.add_run(
        store, "r1", settings={"nan": np.nan, "inf": [np.inf], "n": np.arange(2)}
    )
    store.update_cells(
        "r1", [{"cell_id": cells[0], "reason": "stderr: a\0b\udcff", "calls": np.int64(4)}]
    )
    check = {
        "arm": "torch",
        "workload": "w",
        "dtype": "float32",
        "optimizer": "",
        "ok": np.False_,
        "status": "differs",
    }
    ratios = {"nan": np.nan, "inf": np.float32(np.inf), "some": np.float32(0.5)}
    store.add_agreement(
        "r1", [check | {"kind": kind, "ratio": ratio} for kind, ratio in ratios.items()]
    )
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
    store.add_run(
        "r3",
        machine_id=machine_id,
        command=[],
        settings={},
        seed=0,
        dnnbench_version="0",
        versions={},
    )


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


def test_the_readme_is_the_one_the_schema_makes():
    assert README.read_text() == readme.render()


def test_the_registry_imports_neither_pandas_nor_sqlalchemy():
    code = "import sys, dnnbench.store.columns, dnnbench.store.samples; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"pandas", "sqlalchemy", "numpy"} & set(loaded.stdout.split())
