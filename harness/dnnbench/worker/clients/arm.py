"""Asks a worker of the arm that it holds."""

from ...protocol.capabilities import Capabilities
from ...protocol.device import Device
from ...protocol.dtypes import DType
from ...spec.workload import Workload
from ..services.arm import ArmService, Started, StartRequest
from .base import Client


class ArmClient(Client, ArmService):
    """`ArmService` of a worker."""

    def start(self, request: StartRequest) -> Started:
        return self.asker.ask(ArmService.start, self.timeout_s, request)

    def devices(self) -> tuple[Device, ...]:
        return self.asker.ask(ArmService.devices, self.timeout_s)

    def capabilities(self, workload: Workload, dtype: DType) -> Capabilities:
        return self.asker.ask(ArmService.capabilities, self.timeout_s, workload, dtype)
