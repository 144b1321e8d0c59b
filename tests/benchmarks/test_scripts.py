"""Each arm beside the script that `dnnbench reproduce` writes of it: one number, two ways."""

import numpy as np
import pytest
from beside_script import SIDES, BesideScript
from dnnbench.execution.pool import spawn, start_request, worker_cpus
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.stats.estimates import Visits, log_pairs, ratio
from dnnbench.testing.replay import replay
from dnnbench.worker.clients.base import BUILD_TIMEOUT_S
from dnnbench.worker.environment import default_memory

ARMS = ("numpy:eager", "torch:eager", "torch:compile", "tensorflow:graph", "tensorflow:eager",
        "tensorflow:xla", "jax:jit", "jax:eager", "onnxruntime:full")  # fmt: skip
WORKLOADS = ("mlp_digits", "cnn_digits", "resnet18[tiny]", "gpt2_small[tiny]")
PHASES = ("infer", "train_step")
INFERS = ("onnxruntime:full",)
CELLS = [
    (arm, workload, phase)
    for arm in ARMS
    for workload in WORKLOADS
    for phase in PHASES[: 1 if arm in INFERS else 2]
]


@pytest.fixture(scope="session")
def visits_of(request, cache, worker_path):
    """Visits of both sides over fresh processes, by cell; each arm's cells share a process."""
    chosen = {tuple(item.callspec.params[n] for n in ("arm", "workload", "phase"))
              for item in request.session.items if "visits_of" in item.fixturenames}  # fmt: skip
    seconds = request.config.getoption("seconds")
    measured = {}

    def get(arm, workload, phase):
        if (arm, workload, phase) not in measured:
            cells = [cell for cell in CELLS if cell in chosen and cell[0] == arm]
            for process in range(request.config.getoption("processes")):
                one_process(arm, cells, process, seconds, measured)
        return measured[arm, workload, phase]

    return get


def one_process(name, cells, process, seconds, measured):
    arm = Arm(*name.split(":"))
    place = f"script-{name}-{process}"
    service, cpus = "beside_script:BesideScript", worker_cpus(arm.threads)
    with spawn(arm, place, default_memory(), service, cpus) as worker:
        worker.ask(BesideScript.start, BUILD_TIMEOUT_S, start_request(arm))
        for cell in cells:
            asked = (find_workload(cell[1]), cell[2], seconds)
            visits = worker.ask(BesideScript.visits, BUILD_TIMEOUT_S + 10 * seconds, *asked)
            measured.setdefault(cell, []).extend((process, visit) for visit in visits)


def side_of(rows, side):
    """Its visits as the statistics take them."""
    chosen = [(process, v.round, v.position, v.seconds / v.calls)
              for process, v in rows if v.side == side]  # fmt: skip
    process, number, position, call_s = zip(*chosen, strict=True)
    whole = (np.array(column, np.int64) for column in (process, number, position))
    return Visits(*whole, np.array(call_s), np.zeros(len(call_s), np.int64))


@pytest.mark.benchmark(timer=replay)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("arm", "workload", "phase"), CELLS)
def test_beside_its_script(benchmark, visits_of, arm, workload, phase, side):
    """Seconds a call of one side, and the Program's over the script's."""
    rows = visits_of(arm, workload, phase)
    sides = {name: side_of(rows, name) for name in SIDES}
    estimate = ratio(log_pairs(*(sides[name] for name in SIDES))).estimate
    benchmark.group = f"{arm} {workload} beside its script"
    benchmark.extra_info |= {
        "script_ratio": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "processes": estimate.generations,
    }
    replay.play(benchmark, sides[side].call_s)
