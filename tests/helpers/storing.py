"""Rows that tests of the store write, and the runs made of them."""

import threading
from collections.abc import Callable
from itertools import product

import numpy as np
from dnnbench.errors import StoreError
from dnnbench.store.merge import merge
from dnnbench.store.store import Store, open_store

PHASES = ("infer", "train_step")
TO_VERSION_8 = ("DROP TABLE figure",)
TO_VERSION_7 = (*TO_VERSION_8, "DROP TABLE finding")
TO_VERSION_5 = (*TO_VERSION_7, "ALTER TABLE agreement DROP COLUMN tensors")
"""Statements that make a store of today one of that schema version."""
NAMES_OF_MACHINES = ("machine_class", "identity_version", "aliases")
TO_VERSION_4 = (
    *TO_VERSION_5,
    *(f"ALTER TABLE machine DROP COLUMN {name}" for name in NAMES_OF_MACHINES),
)
TO_VERSION_3 = (*TO_VERSION_4, "ALTER TABLE agreement DROP COLUMN status")


def cell_row(arm: str = "torch:compile", phase: str = "infer", **changes) -> dict:
    """A cell as a plan would add it."""
    backend, _, mode = arm.partition(":")
    return {
        "workload": "mlp_digits",
        "spec_hash": "5bec",
        "arm": arm,
        "arm_key": {"mode": mode, "backend": backend},
        "backend": backend,
        "mode": mode or "eager",
        "device": "cpu",
        "dtype": "float32",
        "threads": 2,
        "batch_size": 64,
        "phase": phase,
        "flops": 2**61,
    } | changes


def control_row() -> dict:
    """The control arm's cell."""
    return cell_row("control", "control", workload="", spec_hash="", backend="numpy", flops=None)


def visits(seed: int, rounds: int = 20, k: int = 3) -> np.ndarray:
    """Samples of one cell in one generation, seconds with all their bits in use."""
    generator = np.random.default_rng(seed)
    order = np.arange(rounds, dtype=float)
    seconds = k * 1e-3 * generator.lognormal(sigma=0.1, size=rounds)
    return np.stack([order, order % 4, np.full(rounds, float(k)), seconds, order % 2], axis=1)


def add_run(store: Store, run_id: str, *, machine: str = "m1", **changes) -> list[str]:
    """A run with a control cell and two arms in two phases, nothing measured yet.

    Returns its cells.
    """
    store.add_machine(machine, facts={"cpu": "A", "cores": np.int64(2)}, host_hash="c0ffee")
    settings = {"command": ["run", "all"], "settings": {"precision": 0.01}, "seed": 7} | changes
    store.add_run(
        run_id,
        machine_id=machine,
        dnnbench_version="0.1.0",
        versions={"torch": "2.13.0"},
        **settings,
    )
    rows = [cell_row(arm, phase) for arm, phase in product(("torch", "jax:jit"), PHASES)]
    return store.add_cells(run_id, [control_row(), *rows])


def measure(store: Store, run_id: str, cells: list[str], generation: int) -> dict[str, np.ndarray]:
    """Commit a generation of the cells, and return what was written."""
    blocks = {cell: visits(1000 * generation + place) for place, cell in enumerate(cells)}
    counted = [figure_row(cells[-1])]
    store.add_generation(run_id, generation, {"steal": 0.0}, blocks, figures=counted)
    return blocks


def finding_row(cell_id: str) -> dict:
    """What a gate's screen found of a cell."""
    return {
        "cell_id": cell_id,
        "stage": "screen",
        "base": "torch",
        "theta": 0.02,
        "ratio": 1.1,
        "flagged": True,
        "answered": True,
        "overruled": False,
        "verdict": "SLOWER",
    }


def figure_row(cell_id: str, **changes) -> dict:
    """What was counted of a call."""
    return {
        "cell_id": cell_id,
        "figure": "operators",
        "value": 42.0,
        "unit": "operators",
        "figure_kind": "deterministic",
    } | changes


def add_everything(store: Store, run_id: str, **changes) -> list[str]:
    """A complete run with a row in every table but that of a gate's findings."""
    cells = add_run(store, run_id, **changes)
    for generation in range(2):
        measure(store, run_id, cells, generation)
    identity = {"arm": "torch", "workload": "mlp_digits", "dtype": "float32"}
    first = {"batch_size": 64, "phase": "infer", "generation": 0, "import_s": 1.5, "build_s": 0.1}
    store.add_first_calls(
        run_id, [{"arm": "torch", "workload": "mlp_digits", "first_call_s": 0.2, **first}]
    )
    store.add_agreement(
        run_id,
        [
            identity
            | {
                "kind": "outputs",
                "optimizer": "",
                "ratio": 0.4,
                "tensor": "y",
                "ok": True,
                "status": "agrees",
            }
        ],
    )
    store.add_epochs(
        run_id,
        [
            identity
            | {
                "epoch": 1,
                "loss": 0.3,
                "test_loss": 0.4,
                "accuracy": 0.9,
                "seconds": 0.5,
                "n_test": 360,
                "wrong": 36,
            }
        ],
    )
    store.update_cells(run_id, [{"cell_id": cell, "status": "ok", "calls": 3} for cell in cells])
    store.finish_run(run_id, "complete")
    return cells


def add_everything_at(target, place: int) -> None:
    """Open a store and write a complete run of its own into it."""
    with open_store(target) as store:
        add_everything(store, f"r{place}", machine=f"m{place}")


def at_once(work: Callable[[int], None], count: int = 8) -> None:
    """Do the work in several threads that start together; none may be refused."""
    failures, start = [], threading.Barrier(count)

    def guarded(place: int) -> None:
        start.wait()
        try:
            work(place)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def contents(store: Store) -> dict[str, list]:
    """Everything that can be read from a store, in an order of its own."""
    frames = {
        "runs": store.runs(),
        "machines": store.machines(),
        "cells": store.cells(),
        "samples": store.samples(store.cells()["cell_id"]),
        "generations": store.generations(),
        "first_calls": store.first_calls(),
        "agreement": store.agreement(),
        "figures": store.figures(),
        "epochs": store.epochs(),
    }
    return {
        name: sorted(map(repr, frame.itertuples(index=False))) for name, frame in frames.items()
    }


def assert_round_trip(store: Store) -> None:
    """Samples come back bit for bit, whichever database holds them."""
    cells = add_run(store, "r1")
    written = [measure(store, "r1", cells, generation) for generation in (0, 2)]
    read = store.samples(cells)
    assert len(read) == 2 * len(cells) * 20
    for generation, blocks in zip((0, 2), written, strict=True):
        for cell, block in blocks.items():
            rows = read[(read.cell_id == cell) & (read.generation == generation)]
            back = rows[["round", "position", "k", "seconds", "flags"]].to_numpy(dtype="<f8")
            assert back.tobytes() == block.tobytes()
    assert store.done_generations("r1") == [0, 2]


def assert_merges(target: Store, source: Store) -> None:
    """Two machines' stores end up the same, whichever way and however often they are merged."""
    add_everything(target, "20260101-000000-aaaa", machine="m1")
    cells = add_everything(source, "20260102-000000-bbbb", machine="m2", label="night")
    added = merge(target, source)
    assert added == {
        "machine": 1,
        "run": 1,
        "cell": len(cells),
        "generation": 2,
        "sample_block": 2 * len(cells),
        "first_call": 1,
        "agreement": 1,
        "finding": 0,
        "figure": 2,
        "epoch": 1,
    }
    once = contents(target)
    assert all(len(rows) >= 2 for rows in once.values())
    assert set(merge(target, source).values()) == {0}
    assert contents(target) == once
    assert merge(source, target)["run"] == 1
    assert contents(source) == once
