"""The reference backend, and its modes for studying rounding."""

import numpy as np
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.capabilities import Capabilities
from threadpoolctl import threadpool_info, threadpool_limits

from . import device
from .program import NumpyProgram

STUDIES = ("blocked", "reversed", "flipped")
"""Modes of the reference that change rounding or close choices:
built by the agreement check, never timed.
"""


class NumpyBackend(Backend):
    """Networks in NumPy on BLAS, in float64 and float32."""

    name = "numpy"

    def versions(self):
        blas = {
            info["internal_api"]: info["version"] or "unknown"
            for info in threadpool_info()
            if info["user_api"] == "blas"
        }
        return {"numpy": np.__version__, **blas}

    def configure(self, arm):
        threadpool_limits(arm.threads)

    def devices(self):
        return device.devices()

    def capabilities(self, workload, arm):
        if arm.dtype not in ("float32", "float64"):
            return Capabilities.none(
                f"NumPy has no arithmetic in {arm.dtype}; it computes in float32 and float64"
            )
        return Capabilities()

    def build(self, workload, weights, arm, seed=0):
        device.resolve(arm.device)
        return NumpyProgram(workload, weights, arm, seed)
