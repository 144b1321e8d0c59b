"""The door a framework comes in through."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from ..spec.workload import Workload
from .arm import Arm
from .device import Device
from .program import Program


class Backend(ABC):
    """Builds Programs in one framework. Made only inside a worker process, where the framework may be imported.

    Laws: `configure` comes before any other framework work of the process; `unsupported` gives the reason that the user
    sees; `build` starts from exactly the weights it is given and never falls back to another device.
    """

    name: str

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the framework and of what it computes with."""

    @abstractmethod
    def configure(self, arm: Arm) -> None:
        """Set what is process-wide: threads, element types, precision of products, denormals."""

    @abstractmethod
    def devices(self) -> list[Device]:
        """Every device the framework can use here, the CPU first."""

    @abstractmethod
    def unsupported(self, workload: Workload, arm: Arm) -> str | None:
        """Why this arm cannot run this workload; None if it can."""

    @abstractmethod
    def build(self, workload: Workload, weights: Mapping[str, np.ndarray], arm: Arm, seed: int = 0) -> Program:
        """A Program that starts from `weights` (parameters and state by canonical name and layout).

        `seed` starts the framework's own generator, which draws dropout masks that a Batch does not bring.
        """
