"""Each arm beside the same network written by hand:
dnnbench's layer should cost its user nothing.
"""

from functools import cache

import pytest
from beside import SIDES
from dnnbench.plugins.discovery import plugins
from dnnbench.spec.phases import PHASES
from dnnbench.testing.replay import replay

WORKLOADS = ("mlp_digits", "cnn_digits")
BACKENDS = ("numpy", "torch", "tensorflow", "jax")
AIM = 1.02
ALARM = 1.10
"""The test fails when the whole interval lies above this.

Five times the aim's distance from 1: an interval over six processes on a busy machine moves by a
percent or two, and a benchmark that fails by chance is soon ignored. The figures are what to read.
"""
WALKED = ("numpy:eager", "tensorflow:eager", "jax:eager")
"""Never an alarm: these Programs walk the network's graph at every call,
which docs/speed.md prices.
"""


@cache
def arms() -> list[str]:
    """Every backend of this repository in every mode, the default first."""
    infos = [plugins().backend(name) for name in BACKENDS]
    return [
        f"{i.name}:{mode}"
        for i in infos
        for mode in sorted(i.modes, key=lambda mode: mode != i.default_mode)
    ]


@pytest.mark.benchmark(timer=replay)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("arm", arms())
def test_beside_handwritten(benchmark, comparisons, arm, workload, phase, side):
    """Seconds a call of one side, as measured in the workers, and dnnbench's over
    the handwritten network's.
    """
    found = comparisons.get(arm, workload, phase)
    estimate = found.ratio.estimate
    benchmark.group = f"{arm} {workload}"
    benchmark.extra_info |= {
        "ratio": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "processes": estimate.generations,
        "rounds": found.ratio.rounds,
        "versions": dict(found.versions),
    }
    replay.play(benchmark, found.visits[side].call_s)
    if arm not in WALKED and not estimate.low <= ALARM:
        pytest.fail(
            f"{arm} {workload} {phase}: dnnbench takes {estimate.value:.3f} times the handwritten "
            f"network's time ({estimate.low:.3f} to {estimate.high:.3f}); the aim is {AIM}: "
            "find what the Program does more"
        )
