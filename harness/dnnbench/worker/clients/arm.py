"""Asks a worker of the arm that it holds."""

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

    def refusal(self, workload: Workload, dtype: DType) -> str | None:
        return self.asker.ask(ArmService.refusal, self.timeout_s, workload, dtype)
