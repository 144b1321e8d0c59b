"""Runs made of simulated visits, whose true times are known:
what tests of reports and comparisons read.
"""

import io
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.dtypes import DType
from dnnbench.report import terminal
from dnnbench.report.builders import sections_of
from dnnbench.report.evidence import Evidence
from dnnbench.report.section import Section
from dnnbench.stats.flags import SINGLE
from dnnbench.store.store import Store
from rich.console import Console

SECONDS = {
    "infer": 1e-3,
    "forward": 1.1e-3,
    "loss": 1.2e-3,
    "gradients": 3e-3,
    "train_step": 4e-3,
    "loss_alone": 0.15e-3,
    "update_alone": 1.2e-3,
}
"""True seconds a call of the base arm; every other arm takes SPEED times as long."""
SPEED = {"numpy:eager": 3.0, "torch:eager": 1.0, "tensorflow:graph": 1.25, "jax:jit": 0.5}
WORKLOADS = ("mlp_digits", "cnn_digits")
BASE = "torch:eager"
NOISE = 0.003
SETTINGS = {
    "base": BASE,
    "settings": {
        "theta": 0.02,
        "threads": 2,
        "dtype": "float32",
        "generations": 3,
        "max_time_s": 60.0,
    },
    "workloads": [
        {"name": name, "task": {"metric": "accuracy", "target": 0.96}} for name in WORKLOADS
    ],
    "skipped": {},
    "notes": [],
}
VERSIONS = {"torch": "2.13.0", "python": "3.11.9"}
FACTS = {
    "hardware": {
        "cpu_model": "Example CPU 9000",
        "physical_cores": 4,
        "logical_cpus": 8,
        "memory_gib": 16,
        "gpus": [],
    },
    "system": {
        "kernel": "Linux 6.1",
        "python": "3.11.9",
        "affinity": [0, 1],
        "governor": None,
        "load_1min": 0.1,
    },
}


def add_run(
    store: Store,
    run_id: str,
    *,
    machine: str = "m1",
    generations: int = 3,
    slower: float = 1.0,
    arms: dict[str, float] = SPEED,
    workloads: tuple[str, ...] = WORKLOADS,
    label: str | None = None,
    rounds: int = 24,
    seed: int = 0,
    spec_hash: str = "5bec",
    machine_speed: float = 1.0,
    seconds: dict[str, float] = SECONDS,
    threads: int = 2,
    facts: Sequence[dict] = (),
    flags: int = 0,
    drift: float = 0.0,
    versions: dict[str, str] = VERSIONS,
    host: str = "c0ffee",
    machine_label: str | None = None,
    slower_on: dict[str, float] | None = None,
    singles: tuple[int, float, int] | None = None,
    rotating: bool = False,
    networks: Sequence[dict] | None = None,
    wavering: dict[str, float] | None = None,
    **settings,
) -> list[str]:
    """A complete run of every arm and phase; returns the ids of its cells, the control arm's last.

    slower: factor on every arm but not on the control arm; machine_speed: factor on both; facts:
    of the generations.
    networks: workloads as a store keeps them.
    slower_on: factors on workloads; singles: of each cell and generation, how many single calls of
    how many seconds with which flags.
    machine_label: of the machine, by default "machine ID"; host: hash of its name.
    flags: of every visit; drift: by which factor every arm but the base slows down within
    a generation, less one; rotating: no two arms have one place in a round, as in a true run.
    wavering: of arms, by how much their generations lie apart, as a logarithm.
    """
    machine_label = f"machine {machine}" if machine_label is None else machine_label
    store.add_machine(machine, facts=FACTS, host_hash=host, label=machine_label)
    stored = {"workloads": networks} if networks else {}
    store.add_run(
        run_id, machine_id=machine, command=["dnnbench", "run"],
        settings=SETTINGS | stored | settings,
        seed=seed, dnnbench_version="0.1.0", versions=versions,
        label=label,
    )  # fmt: skip
    keys = list(product(workloads, seconds, arms))
    cells = store.add_cells(
        run_id, [_cell(*key, spec_hash, threads) for key in keys] + [_control()]
    )
    for generation in range(generations):
        draw = np.random.default_rng([seed, generation, sum(map(ord, run_id))])
        blocks = {}
        for place, w in enumerate(workloads):
            numbers = np.arange(rounds) + rounds * place
            shared = machine_speed * draw.lognormal(sigma=0.05, size=rounds)
            for cell, (workload, phase, arm) in zip(cells, keys, strict=False):
                if workload == w:
                    position = draw.permutation(rounds) % len(arms)
                    if rotating:
                        position = (np.arange(rounds) + list(arms).index(arm)) % len(arms)
                    slowing = 1.0 if arm == BASE else np.linspace(1, 1 + drift, rounds)
                    slower_here = slower * (slower_on or {}).get(w, 1.0)
                    apart = np.exp((wavering or {}).get(arm, 0.0) * (-1) ** generation)
                    call_s = apart * slower_here * seconds[phase] * arms[arm] * shared * slowing
                    blocks[cell] = visits(numbers, position, call_s, draw)
                    blocks[cell][:, 4] = flags
                    if singles:
                        calls = single_calls(*singles, draw)
                        blocks[cell] = np.concatenate([blocks[cell], calls])
            blocks.setdefault(cells[-1], []).append(
                visits(numbers, 0 * numbers, 1e-4 * shared, draw)
            )
        blocks[cells[-1]] = np.concatenate(blocks[cells[-1]])
        store.add_generation(run_id, generation, facts[generation] if facts else {}, blocks)
    store.update_cells(
        run_id,
        [{"cell_id": c, "status": "ok", "calls": 5, "peak_rss_bytes": 3 * 10**8} for c in cells],
    )
    store.finish_run(run_id, "complete")
    return cells


def visits(
    numbers: np.ndarray, positions: np.ndarray, call_s: np.ndarray, draw, k: int = 5
) -> np.ndarray:
    """(n, 5) rows of the store: visits of k calls, each with noise of its own."""
    seconds = k * call_s * draw.lognormal(sigma=NOISE, size=len(numbers))
    return np.stack(
        [numbers, positions, np.full(len(numbers), k), seconds, 0 * numbers], axis=1
    ).astype(float)


def single_calls(count: int, call_s: float, flags: int, draw) -> np.ndarray:
    """(count, 5) rows of the store: calls timed one by one."""
    numbers = np.arange(count)
    rows = visits(numbers, 0 * numbers, np.full(count, call_s), draw, k=1)
    rows[:, 4] = SINGLE | flags
    return rows


def _cell(workload: str, phase: str, arm: str, spec_hash: str, threads: int) -> dict:
    flops = None if phase.endswith("_alone") else 10**7
    return _identity(arm, arm_of(arm, threads)) | {
        "workload": workload, "spec_hash": spec_hash, "batch_size": 64, "phase": phase,
        "flops": flops, "bytes": flops, "rank_group": f"{workload}/64 {phase}",
    }  # fmt: skip


def arm_of(name: str, threads: int = 2) -> Arm:
    """`torch:eager[dtype=bfloat16]`: its type is the only option that a name may tell."""
    plain, _, dtype = name.rstrip("]").partition("[dtype=")
    backend, _, rest = plain.partition(":")
    mode, _, environment = rest.partition("@")
    of_type = DType(dtype or "float32")
    return Arm(backend, mode, threads=threads, dtype=of_type, environment=environment)


def _control() -> dict:
    blank = {
        "workload": "",
        "spec_hash": "",
        "batch_size": 0,
        "phase": "control",
        "unequal": "a yardstick",
    }
    return _identity("control", Arm("control", "eager", threads=2)) | blank


def _identity(name: str, arm: Arm) -> dict:
    key = arm.to_json()
    return {
        "arm": name,
        "arm_key": key,
        **{k: key[k] for k in ("backend", "mode", "device", "dtype", "threads")},
        "environment": key["environment"] or None,
    }


DESCRIPTION = {
    "device": "cpu", "layout": "channels_last", "dtype": "float32", "threads": 2,
    "inter_op_threads": 1, "float32_matmul_precision": "highest", "denormals": "kept",
    "donation": "in place", "autotune": "off", "optimizer": "SGD, foreach", "loss_scale": 1.0,
    "compilations": 0, "graph_breaks": 0, "product_bits": 22.4, "cpus": "0-1",
}  # fmt: skip
"""What a program says of itself."""


def facts_of(arms: Iterable[str], workloads: Iterable[str]) -> dict:
    """Of a generation: every program's description."""
    programs = [
        {"arm": arm, "workload": workload, "batch_size": 64, "description": DESCRIPTION}
        for arm, workload in product(arms, workloads)
    ]
    return {
        "version": 2, "arms": [], "programs": programs, "cells": [], "control": [], "fairness": [],
    }  # fmt: skip


def add_facts(
    store: Store,
    run_id: str,
    arms: Iterable[str] = SPEED,
    workloads: Sequence[str] = WORKLOADS,
) -> None:
    """First calls, checks and epochs for a run of `add_run`, one check failing."""
    arms = list(arms)
    times = {
        "import_s": 2.0,
        "build_s": 0.1,
        "first_call_s": 0.5,
        "batch_size": 64,
        "generation": 0,
    }
    store.add_first_calls(
        run_id,
        [
            {"arm": a, "workload": w, "phase": p, **times}
            for a, w, p in product(arms, workloads, SECONDS)
        ],
    )
    checks = product(arms, workloads, ("outputs", "loss", "gradients"), ("float64", "float32"))
    store.add_agreement(run_id, [_check(*check, bad=_bad(*check)) for check in checks])
    add_epochs(store, run_id, arms)


def add_checks(store: Store, run_id: str, arms: list[str]) -> None:
    """Checks of a run of `add_run`, all of which agree."""
    checks = product(arms, WORKLOADS, ("outputs", "gradients"), ("float64", "float32"))
    store.add_agreement(run_id, [_check(*check, bad=False) for check in checks])


def _check(arm: str, workload: str, kind: str, dtype: str, bad: bool) -> dict:
    return {
        "arm": arm,
        "workload": workload,
        "dtype": dtype,
        "kind": kind,
        "optimizer": "",
        "tensor": f"{kind}/fc1",
        "tensors": 6,
        "ratio": 7.0 if bad else 0.2,
        "ok": not bad,
        "status": "differs" if bad else "agrees",
        "reason": "rmse 7.0e-06, allowed 1.0e-06" if bad else "",
    }


def add_epochs(store: Store, run_id: str, arms: list[str]) -> None:
    """Twelve epochs of training for each arm."""
    store.add_epochs(run_id, [_epoch(arm, e) for arm, e in product(arms, range(1, 13))])


def _epoch(arm: str, e: int) -> dict:
    return {
        "arm": arm,
        "workload": WORKLOADS[0],
        "dtype": "float32",
        "epoch": e,
        "loss": 2.3 * 0.8**e,
        "test_loss": 2.4 * 0.9**e,
        "accuracy": 1 - 0.9 * 0.7**e,
        "wrong": round(324 * 0.7**e),
        "n_test": 360,
        "seconds": 0.1 * SPEED.get(arm, 1.0),
    }


def _bad(arm: str, workload: str, kind: str, dtype: str) -> bool:
    return (arm, workload, kind, dtype) == (
        "tensorflow:graph",
        "cnn_digits",
        "gradients",
        "float32",
    )


def section_of(evidence: Evidence, id: str) -> Section:
    """The section of a run by its id."""
    (section,) = (section for section in sections_of(evidence) if section.id == id)
    return section


def printed(evidence: Evidence, width: int = 100, only: str = "") -> str:
    """What the terminal shows of a run at a width: every section, or one by its id."""
    return text_of([section_of(evidence, only)] if only else sections_of(evidence), width)


def text_of(sections: Iterable[Section], width: int = 100) -> str:
    """What the terminal shows of sections at a width."""
    console = Console(width=width, highlight=False, record=True, file=io.StringIO())
    for part in terminal.drawn(sections):
        console.print(part, crop=False)
    return console.export_text()


def cell(frame, arm: str, phase: str = "infer", workload: str = "mlp_digits"):
    """The one row of a frame of cells."""
    (row,) = frame[
        (frame.arm == arm) & (frame.phase == phase) & (frame.workload == workload)
    ].itertuples()
    return row
