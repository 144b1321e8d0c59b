"""The arm of this process: its backend, which every service here computes with."""

import gc
import reprlib
from collections.abc import Mapping
from itertools import chain

import numpy as np

from ...errors import PluginError
from ...host.clock import now
from ...plugins.discovery import load_backend
from ...protocol.arm import Arm
from ...protocol.backend import Backend, capabilities_of
from ...protocol.capabilities import Capabilities
from ...protocol.device import Device
from ...protocol.dtypes import DType
from ...protocol.program import Program
from ...spec.phases import Phase
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
        import_s = now() - begin
        _keep_out_of_collections()
        return Started(import_s, texts_of(self.backend.versions()))

    def devices(self) -> tuple[Device, ...]:
        return tuple(self.backend.devices())

    def capabilities(self, workload: Workload, dtype: DType) -> Capabilities:
        return capabilities_of(self.backend, workload, self.arm.with_dtype(dtype))

    def build(
        self, workload: Workload, weights: Mapping[str, np.ndarray], seed: int, *phases: Phase
    ) -> Program:
        """A program of the arm.

        PluginError, with the backend's reason, if it does not offer one of the phases.
        """
        capabilities = capabilities_of(self.backend, workload, self.arm)
        for phase in phases:
            if reason := capabilities.missing.get(phase):
                raise PluginError(reason)
        return self.backend.build(workload, weights, self.arm, seed)


def _keep_out_of_collections() -> None:
    """What was imported stays: a search for garbage need not visit its million objects again.

    A program's end, a peak of memory and every step of a check ask for such a search.
    """
    gc.collect()
    gc.freeze()


def texts_of(versions: Mapping[str, str]) -> dict[str, str]:
    """A backend's versions; TypeError unless they are texts by name."""
    if isinstance(versions, Mapping):
        texts = chain.from_iterable(versions.items())
        if all(isinstance(text, str) for text in texts):
            return dict(versions)
    raise TypeError(
        f"the backend's versions() gave {reprlib.repr(versions)}, expected texts by name"
    )
