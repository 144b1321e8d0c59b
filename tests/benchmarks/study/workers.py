"""Fresh worker processes for one generation, all alive, all confined alike,
as the product starts them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dnnbench.execution.parallel import in_parallel
from dnnbench.execution.plan import CONTROL, CONTROL_ARM
from dnnbench.execution.pool import spawn
from dnnbench.execution.rounds import starting_order
from dnnbench.host.affinity import confine, current_mask, parent_cpus
from dnnbench.host.idle import NOISY_SHARE, idle_shares
from dnnbench.protocol.arm import Arm
from dnnbench.worker.clients.base import BUILD_TIMEOUT_S
from dnnbench.worker.environment import default_memory
from dnnbench.worker.process import Worker

from .kinds import Kind
from .service import Study

THREADS = 1
SERVICE = "study.service:Study"


@contextmanager
def pool(kind: Kind, cpus: Sequence[int], seed: int) -> Iterator[dict[str, Worker]]:
    """Label -> worker on `cpus`, its step built and called once, and the control's.

    This process is out of their way.

    The control's comes first, then the arms in the order drawn for their start.
    """
    mask = current_mask()
    workers: dict[str, Worker] = {}

    def start(label: str) -> None:
        workers[label] = spawn(
            Arm(kind.step, "study", threads=THREADS), label, default_memory(), SERVICE, cpus
        )
        workers[label].ask(Study.build, BUILD_TIMEOUT_S, kind.step, kind.arms[label])

    confine(parent_cpus(mask, cpus))
    try:
        workers[CONTROL] = spawn(CONTROL_ARM, CONTROL, default_memory(), cpus=cpus[-1:])
        in_parallel(start, starting_order(kind.arms, seed), len(cpus))
        yield workers
    finally:
        in_parallel(Worker.close, workers.values(), len(workers))
        confine(mask)


def quiesce(workers: dict[str, Worker]) -> None:
    """Stop whoever burns CPU while it waits, whenever it waits."""
    for name, share in idle_shares({name: worker.pid for name, worker in workers.items()}).items():
        if share > NOISY_SHARE:
            workers[name].stop_when_idle()
