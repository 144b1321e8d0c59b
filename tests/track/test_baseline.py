"""Baselines: made of a run, held against another, changed with a reason, and never lost."""

import json
import sqlite3

import numpy as np
import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.store.store import open_store
from dnnbench.track.baseline import LEAST_RUNS, MOST_RUNS, Baseline, BaselineCell, time_hint
from dnnbench.track.baseline_check import Outcome, held_against
from helpers import reporting
from helpers.storing import figure_row

pytestmark = pytest.mark.slow

ARMS = {"torch:eager": 1.0}
SMALL = {
    "workloads": ("mlp_digits",), "arms": ARMS, "generations": 2, "rounds": 8,
    "seconds": {"infer": 1e-3, "train_step": 4e-3},
}  # fmt: skip
AGREES = {
    "arm": "torch:eager", "workload": "mlp_digits", "dtype": "float32", "kind": "loss",
    "tensor": "loss", "ratio": 0.5, "reason": "", "optimizer": "", "ok": True, "status": "agrees",
}  # fmt: skip
DIFFERS = AGREES | {"ratio": 70.0, "reason": "rmse", "ok": False, "status": "differs"}
NAME = "mlp_digits/64 infer torch:eager[dtype=float32,threads=2,device=cpu]"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, whose store holds a checked run."""
    monkeypatch.chdir(tmp_path)
    add("r1", seed=1)
    return tmp_path


def add(run_id, agreement=AGREES, cells=None, **options):
    with open_store("results/dnnbench.sqlite") as store:
        options = SMALL | options
        ids = reporting.add_run(store, run_id, **options)
        if agreement:
            store.add_agreement(run_id, [agreement])
        if cells:
            store.update_cells(run_id, [{"cell_id": cell, **cells} for cell in ids[:-1]])


def file_in(folder):
    (file,) = (folder / "baselines").glob("*.json")
    return file


def read(folder):
    return json.loads(file_in(folder).read_text())


def test_a_baseline_is_a_small_file_named_after_the_class_of_the_machine(folder):
    assert main(["baseline", "save", "r1"]) == exitcodes.OK
    file = file_in(folder)
    assert file.name.startswith("example-cpu-9000-4-cores-16-gib-")
    assert file.stat().st_size < 5000
    cell = read(folder)["cells"][NAME]
    assert cell["figures"]["agreement"] == "agrees"
    assert cell["times"][0] == pytest.approx(10, rel=0.05), "1 ms over 0.1 ms of the control arm"


def test_a_run_like_the_baseline_passes(folder, capsys):
    main(["baseline", "save", "r1"])
    add("r2", seed=2)
    assert main(["baseline", "check", "r2"]) == exitcodes.OK
    out = capsys.readouterr().out
    assert "PASS: " in out
    assert "times: INCONCLUSIVE: 1 of the 10 runs" in out


CHANGED = {
    "a figure grows": ({"cells": {"flops": 999}}, exitcodes.REGRESSION, "GREW"),
    "it shrinks": ({"cells": {"flops": 1}}, exitcodes.OK, "SHRANK"),
    "it differs": ({"agreement": DIFFERS}, exitcodes.FAILED, "DIFFERS"),
    "it was not checked": ({"agreement": None}, exitcodes.REGRESSION, "CHANGED"),
    "a cell is missing": (
        {"seconds": {"infer": 1e-3}}, exitcodes.NOTHING_MEASURED, "MISSING",
    ),
    "a cell is new": (
        {"arms": ARMS | {"jax:jit": 0.5}}, exitcodes.OK, "NEW",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_what_changed_is_told_with_its_code(folder, capsys, change):
    options, code, word = CHANGED[change]
    add("old", seed=3, cells={"flops": 100})
    main(["baseline", "save", "old"])
    add("new", **{"seed": 4, "cells": {"flops": 100}} | options)
    assert main(["baseline", "check", "new"]) == code
    assert word in capsys.readouterr().out


def test_a_slower_run_of_few_is_inconclusive_and_passes(folder, capsys):
    main(["baseline", "save", "r1"])
    add("r2", slower=3.0)
    assert main(["baseline", "check", "r2"]) == exitcodes.OK
    assert "times: INCONCLUSIVE" in capsys.readouterr().out


def test_ten_runs_tell_a_hint_which_still_passes(folder, capsys):
    main(["baseline", "save", "r1"])
    for seed in range(2, LEAST_RUNS + 1):
        add(f"r{seed}", seed=seed)
        assert main(["baseline", "update", f"r{seed}"]) == exitcodes.OK
    add("slow", slower=1.5)
    assert main(["baseline", "check", "slow"]) == exitcodes.OK
    out = capsys.readouterr().out
    assert "HINT" in out
    assert "to gate time, name a revision" in out


def test_changed_figures_are_written_with_a_reason_alone(folder, capsys):
    main(["baseline", "save", "r1"])
    before = file_in(folder).read_text()
    add("r2", cells={"flops": 999})
    assert main(["baseline", "update", "r2"]) == exitcodes.REGRESSION
    assert file_in(folder).read_text() == before
    assert "give --accept" in capsys.readouterr().err
    assert main(["baseline", "update", "r2", "--accept", "a wider layer"]) == exitcodes.OK
    (accepted,) = read(folder)["accepted"]
    assert accepted["reason"] == "a wider layer"
    assert main(["baseline", "check", "r2"]) == exitcodes.OK


def test_a_run_counts_once_among_the_times(folder):
    main(["baseline", "save", "r1"])
    add("r2", seed=2)
    for _ in range(2):
        main(["baseline", "update", "r2"])
    assert len(read(folder)["cells"][NAME]["times"]) == 2


def test_a_baseline_is_not_written_over(folder, capsys):
    main(["baseline", "save", "r1"])
    assert main(["baseline", "save", "r1"]) == exitcodes.USAGE
    assert "exists already; dnnbench baseline update" in capsys.readouterr().err


def test_baselines_are_listed(folder, capsys):
    assert main(["baseline", "list"]) == exitcodes.OK
    assert "there is none in baselines" in capsys.readouterr().err
    main(["baseline", "save", "r1"])
    assert main(["baseline", "list", "--json"]) == exitcodes.OK
    said = capsys.readouterr().out
    (one,) = json.loads(said[said.index("{") :])["baselines"]
    assert one["machine_class"] == "Example CPU 9000, 4 cores, 16 GiB"


DAMAGED = {
    "half a file": ('{"version": 1, "cells"', "it cannot be read"),
    "another document": ("[1, 2]", "it cannot be read"),
    "no numbers": (
        '{"version": 1, "machine_class": "x", "timed_runs": [], "accepted": [], '
        '"cells": {"a": {"figures": {"flops": []}, "times": []}}}',
        "figure flops is",
    ),
    "a newer one": ('{"version": 2}', "it is of version 2, and this dnnbench reads 1"),
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("command", ["check", "update", "list"])
def test_a_damaged_baseline_is_told_and_left_as_it_is(folder, capsys, damage, command):
    text, words = DAMAGED[damage]
    main(["baseline", "save", "r1"])
    file = file_in(folder)
    file.write_text(text)
    assert main(["baseline", command]) == exitcodes.USAGE
    assert words in capsys.readouterr().err
    assert file.read_text() == text


def test_a_baseline_that_is_not_there_says_how_to_make_one(folder, capsys):
    assert main(["baseline", "check", "r1"]) == exitcodes.USAGE
    assert "there is none; make one of a run: dnnbench baseline save" in capsys.readouterr().err


def test_a_run_without_cells_makes_no_baseline(folder, capsys):
    add("empty", agreement=None, arms={}, generations=0)
    assert main(["baseline", "save", "empty"]) == exitcodes.NOTHING_MEASURED
    assert "has no cell that was measured" in capsys.readouterr().err


def test_a_store_of_a_newer_schema_is_left_as_it_is(folder, capsys):
    with sqlite3.connect("results/dnnbench.sqlite") as connection:
        connection.execute("UPDATE dnnbench_schema SET version = 99")
    assert main(["baseline", "save", "r1"]) == exitcodes.USAGE
    assert "upgrade dnnbench" in capsys.readouterr().err
    assert not (folder / "baselines").exists()


def test_the_newest_times_are_kept():
    cell = BaselineCell({}, tuple(float(n) for n in range(MOST_RUNS))).with_times([99.0])
    assert len(cell.times) == MOST_RUNS
    assert cell.times[-1] == 99.0


def test_a_hint_is_rarer_than_its_level_between_equal_runs():
    draw = np.random.default_rng(0)
    runs = np.exp(draw.normal(0, 0.05, (2000, LEAST_RUNS + 1)))
    hints = [time_hint(list(times[:-1]), times[-1]).word for times in runs]
    assert hints.count("as before") / 2000 == pytest.approx(0.99, abs=0.007)


def test_what_a_run_counted_is_held_too_if_it_was_the_same_each_time(folder):
    with open_store("results/dnnbench.sqlite") as store:
        cell = store.cells("r1")["cell_id"].iloc[0]
        for generation, changing in enumerate((1.0, 2.0), start=2):
            rows = [
                figure_row(cell, figure="operators", value=7.0),
                figure_row(cell, figure="layout_changes", value=changing),
                figure_row(cell, figure="page_faults", value=5.0, figure_kind="counted"),
            ]
            store.add_generation("r1", generation, {}, {}, figures=rows)
    main(["baseline", "save", "r1"])
    figures = read(folder)["cells"][NAME]["figures"]
    assert figures["operators"] == 7
    assert {"layout_changes", "page_faults"}.isdisjoint(figures)


def test_figures_of_any_name_are_held_against_each_other():
    before = Baseline("c", {"a": BaselineCell({"graph_breaks": 1, "layout": "nhwc"})})
    after = Baseline("c", {"a": BaselineCell({"graph_breaks": 2, "layout": "nchw"})})
    outcomes = {row.figure: row.outcome for row in held_against(before, after)}
    assert outcomes["graph_breaks"] is Outcome.GREW
    assert outcomes["layout"] is Outcome.CHANGED


def test_a_time_that_is_in_doubt_is_inconclusive():
    quiet, disturbed = (Baseline("c", {"a": BaselineCell({}, times)}) for times in ((1.0,), ()))
    (row,) = held_against(quiet, disturbed)
    assert row.outcome is Outcome.INCONCLUSIVE
