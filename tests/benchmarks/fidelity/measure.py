"""One fresh process of one arm with one network, and what it says."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from dnnbench.execution.pool import spawn, start_request, worker_cpus
from dnnbench.host.machine import cpu_model, cpu_signature
from dnnbench.protocol.arm import Arm
from dnnbench.stats.estimates import Visits, log_pairs
from dnnbench.worker.clients.base import BUILD_TIMEOUT_S
from dnnbench.worker.environment import default_memory

from .recordings import Beside, Recording
from .service import Fidelity, SideVisit
from .sides import PROGRAM

SERVICE = "fidelity.service:Fidelity"
DIGITS = 5
"""Kept of a figure: its noise is a thousand times the last one."""


def measure(name: str, network: str, seconds: float, seed: int) -> Recording:
    """A process's recording; WorkerError where a side fails or the sides are unequal."""
    backend, _, mode = name.partition(":")
    arm = Arm(backend, mode)
    place, cpus = f"fidelity-{name}-{network}", worker_cpus(arm.threads)
    with spawn(arm, place, default_memory(), SERVICE, cpus) as worker:
        versions = worker.ask(Fidelity.start, BUILD_TIMEOUT_S, start_request(arm))
        equality = worker.ask(Fidelity.build, BUILD_TIMEOUT_S, network)
        visits = worker.ask(Fidelity.rounds, BUILD_TIMEOUT_S + 100 * seconds, seconds, seed)
    return Recording(
        name,
        network,
        f"{datetime.now(UTC):%Y-%m-%d}",
        _processor(),
        versions,
        _short(max(one.outputs for one in equality.values())),
        _short(max(one.weights for one in equality.values())),
        tuple(reduced(visits)),
        _short(max(one.moved for one in equality.values())),
    )


def reduced(visits: Sequence[SideVisit]) -> list[Beside]:
    """Each twin in each phase: ratios by medians over rounds, as dnnbench takes them."""
    cells = dict.fromkeys((v.phase, v.side) for v in visits if v.side != PROGRAM)
    return [_beside(visits, phase, twin) for phase, twin in cells]


def _beside(visits: Sequence[SideVisit], phase: str, twin: str) -> Beside:
    effects = {}
    for clock in ("wall_s", "cpu_s"):
        ours, theirs = (_visits(visits, phase, side, clock) for side in (PROGRAM, twin))
        effects[clock] = float(log_pairs(ours, theirs).effects()[0])
    twin_s = float(np.median(theirs.call_s))
    return Beside(twin, phase, _short(effects["wall_s"]), _short(effects["cpu_s"]),
                  _short(twin_s), len(theirs.call_s))  # fmt: skip


def _visits(visits: Sequence[SideVisit], phase: str, side: str, clock: str) -> Visits:
    chosen = [v for v in visits if (v.phase, v.side) == (phase, side)]
    zeros = np.zeros(len(chosen), np.int64)
    places = (np.array([getattr(v, name) for v in chosen]) for name in ("round", "position", clock))
    return Visits(zeros, *places, zeros)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _processor() -> str:
    return ", ".join(part for part in (cpu_model(), cpu_signature()) if part)
