"""The arm of this process: its backend, which every service here computes with."""

import reprlib
from collections.abc import Mapping

import numpy as np

from ...errors import PluginError
from ...host.clock import now
from ...plugins.discovery import load_backend
from ...protocol.arm import Arm
from ...protocol.backend import Backend, capabilities_of
from ...protocol.device import Device
from ...protocol.dtypes import DType
from ...protocol.program import Program
from ...spec.workload import Workload
from ..services.arm import ArmService, Started, StartRequest


class ArmServer(ArmService):
    """Holds the backend that `start` imports; the other services of the process build with it."""

    arm: Arm
    backend: Backend

    def start(self, request: StartRequest) -> Started:
        begin = now()
        self.arm = request.arm
        self.backend = load_backend(request.target)
        self.backend.configure(self.arm)
        return Started(now() - begin, texts_of(self.backend.versions()))

    def devices(self) -> tuple[Device, ...]:
        return tuple(self.backend.devices())

    def refusal(self, workload: Workload, dtype: DType) -> str | None:
        return refusal(self.backend, workload, self.arm.with_dtype(dtype))

    def build(self, workload: Workload, weights: Mapping[str, np.ndarray], seed: int) -> Program:
        """A program of the arm. PluginError, with the backend's reason, if it cannot run the workload."""
        if reason := refusal(self.backend, workload, self.arm):
            raise PluginError(reason)
        return self.backend.build(workload, weights, self.arm, seed)


def refusal(backend: Backend, workload: Workload, arm: Arm) -> str | None:
    """Why an arm cannot run a workload at all, or None."""
    return capabilities_of(backend, workload, arm).refusal


def texts_of(versions: Mapping[str, str]) -> dict[str, str]:
    """A backend's versions; TypeError unless they are texts by name."""
    if isinstance(versions, Mapping) and all(isinstance(text, str) for item in versions.items() for text in item):
        return dict(versions)
    raise TypeError(f"the backend's versions() gave {reprlib.repr(versions)}, expected texts by name")
