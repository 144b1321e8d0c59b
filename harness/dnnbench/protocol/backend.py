"""What a framework is to dnnbench: a Backend that builds Programs."""

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from ..spec.workload import Workload
from .arm import Arm
from .capabilities import Capabilities
from .device import Device
from .program import Program


class Backend(ABC):
    """Builds Programs in one framework.

    Made only inside a worker process, where the framework may be imported.

    Laws: `configure` comes before any other framework work of the process;
    `capabilities` gives the reasons that the user sees;
    `build` starts from exactly the weights it is given and never falls back to another device.
    """

    name: str

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the framework and of what it computes with."""

    @abstractmethod
    def configure(self, arm: Arm) -> None:
        """Set what is process-wide: threads, element types, precision of products, denormals.

        A worker holds one arm and comes here first. It starts with, and this module
        is imported under:

            OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, MKL_NUM_THREADS, NPROC   `arm.threads`
            its CPU mask            as many CPUs as threads where time is taken;
                                    any that dnnbench may use in a check
            caches                  a folder in each variable that any backend's
                                    `BackendInfo.caches` names
            others                  `dnnbench.worker.environment.MEANING` has each with its reason

        A library that reads none of these is told `arm.threads` here.
        What can no longer be set raises PluginError. Denormals are yours to choose:
        switch flushing on or off here as users of the framework would find it, and let `facts` tell
        by trial which it is; a difference between arms is shown and stops no ranking.
        """

    @abstractmethod
    def devices(self) -> list[Device]:
        """Every device the framework can use here, the CPU first."""

    @abstractmethod
    def capabilities(self, workload: Workload, arm: Arm) -> Capabilities:
        """Which phases this arm offers of this workload, and of the others why not; builds nothing.

        Asked before every build, check and plan: what it offers is asked for, and nothing else is.
        """

    @abstractmethod
    def build(
        self, workload: Workload, weights: Mapping[str, np.ndarray], arm: Arm, seed: int = 0
    ) -> Program:
        """A Program that starts from `weights` (parameters and state by canonical name
        and layout, float32).

        A TrainingProgram where `capabilities` offers more than `infer`,
        else an InferenceProgram is enough. `seed` starts the framework's own generator,
        which draws dropout masks that a Batch does not bring.
        """


def capabilities_of(backend: Backend, workload: Workload, arm: Arm) -> Capabilities:
    """What a backend says that it offers; TypeError for an answer of another kind."""
    answer = backend.capabilities(workload, arm)
    if isinstance(answer, Capabilities):
        return answer
    raise TypeError(
        f"{arm.backend}'s capabilities() gave {reprlib.repr(answer)}, expected Capabilities(), or "
        "Capabilities.none(reason) for what it cannot do"
    )
