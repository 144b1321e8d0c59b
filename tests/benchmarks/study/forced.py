"""What a thing costs that processes otherwise draw by chance:
steps that have it by hand, in one worker, visited in turn.
"""

import importlib
import random
from collections.abc import Callable, Sequence
from statistics import median

from dnnbench.host.clock import now

ROUNDS = 400


def ratios(steps: Sequence[Callable[[], object]]) -> list[float]:
    """Time of each step over the first one's, paired: medians over rounds in random order."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(ROUNDS):
        for place in random.sample(range(len(steps)), len(steps)):
            times[place].append(_seconds(steps[place]))
    return [
        median(one / base for one, base in zip(found, times[0], strict=True)) for found in times
    ]


def _seconds(step: Callable[[], object]) -> float:
    """Of one call, after one untimed."""
    step()
    begin = now()
    step()
    return now() - begin


def asked(service: str, method: str, **arguments) -> list:
    """What a fresh worker, started as the study's are, answers."""
    from dnnbench.execution.pool import spawn, worker_cpus
    from dnnbench.protocol.arm import Arm
    from dnnbench.worker.clients.base import BUILD_TIMEOUT_S
    from dnnbench.worker.environment import default_memory

    module, _, name = service.partition(":")
    asking = getattr(getattr(importlib.import_module(f"study.{module}"), name), method)
    with spawn(
        Arm(method, "study"), method, default_memory(), f"study.{service}", worker_cpus(1)
    ) as worker:
        return worker.ask(asking, BUILD_TIMEOUT_S, **arguments)
