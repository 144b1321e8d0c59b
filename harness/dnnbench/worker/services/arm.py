"""The arm that a worker process holds: its backend, imported once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from ...protocol.arm import Arm
from ...protocol.capabilities import Capabilities
from ...protocol.device import Device
from ...protocol.dtypes import DType
from ...spec.workload import Workload


@dataclass(frozen=True)
class StartRequest:
    """The arm, and the class of its backend as `package.module:Class`.

    A worker does not look the name up again: what is installed while a run is under way does
    not change it.
    """

    arm: Arm
    target: str


@dataclass(frozen=True)
class Started:
    """Seconds of importing and configuring the framework, and the versions of what the arm
    computes with.
    """

    import_s: float
    versions: Mapping[str, str]


class ArmService(ABC):
    """Comes first: the other services compute with the backend that `start` imports."""

    @abstractmethod
    def start(self, request: StartRequest) -> Started:
        """Import the backend and configure the process for the arm."""

    @abstractmethod
    def devices(self) -> tuple[Device, ...]:
        """Every device that the framework can use here, the CPU first."""

    @abstractmethod
    def capabilities(self, workload: Workload, dtype: DType) -> Capabilities:
        """Which phases the arm offers of the workload in an element type,
        and why not the others.
        """
