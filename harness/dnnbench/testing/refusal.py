"""What one backend says it cannot do, asked of every case in every mode,
precision and kind of device.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from ..protocol.arm import Arm
from ..protocol.backend import Backend
from ..protocol.device import KINDS, Device
from ..protocol.precision import PRECISIONS
from .cases import CASES


class Refusal(NamedTuple):
    """A case that one arm says it cannot run."""

    backend: str
    mode: str
    device: str
    dtype: str
    case: str
    reason: str


def refused_by(backend: Backend, arm: Arm, modes: Sequence[str], compiler: bool) -> list[Refusal]:
    """Every refusal of a backend, in a process of its own:
    what it finds on its path is changed for good.

    compiler: whether it finds one; any program passes for one, as none is called.
    """
    os.environ["CXX"] = sys.executable if compiler else "g++"
    os.environ["PATH"] = ""
    workloads = {case: build() for case, build in CASES.items()}
    refusals = []
    for mode, kind, dtype in product(modes, KINDS, PRECISIONS):
        variant = replace(arm, mode=mode, device=Device(kind), dtype=dtype)
        reasons = {
            case: backend.capabilities(workload, variant).refusal
            for case, workload in workloads.items()
        }
        refusals += [
            Refusal(arm.backend, mode, kind, dtype, case, r)
            for case, r in reasons.items()
            if r is not None
        ]
    return refusals
