"""What the conformance kit asks a worker besides: an abstract service,
and the client that asks it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..agreement.comparison import TensorComparison
from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from ..worker.clients.base import Client
from ..worker.services.agreement import CheckRequest
from .refusal import Refusal

SERVICE = "dnnbench.testing.server:KitServices"
"""What a worker of the kit is started with."""


@dataclass(frozen=True)
class LawRequest:
    """A law by its name, the network that it is tried on, and the phases that the arm
    offers of it.
    """

    law: str
    workload: Workload
    phases: tuple[Phase, ...] = PHASES


class KitService(ABC):
    """Comes beside the services of every worker."""

    @abstractmethod
    def refusals(self, modes: tuple[str, ...], compiler: bool) -> tuple[Refusal, ...]:
        """Everything that the backend says it cannot do, on a machine
        with or without a compiler.
        """

    @abstractmethod
    def try_law(self, request: LawRequest) -> None:
        """Hold the arm against one law on one workload; raises LawBroken."""

    @abstractmethod
    def comparisons(self, request: CheckRequest, path: Path) -> tuple[TensorComparison, ...]:
        """Every tensor of the arm held against the reference in a file, trained by the workload's
        own optimizer alone.

        PluginError, with the reason, unless the arm offers every phase of the request.
        """

    @abstractmethod
    def gradients(self, workload: Workload, batch: Batch, dtype: DType) -> Mapping[str, np.ndarray]:
        """One gradient pass: outputs, state, loss and gradients as `Program.get` names them."""


class KitClient(Client, KitService):
    """`KitService` of a worker."""

    def refusals(self, modes: tuple[str, ...], compiler: bool) -> tuple[Refusal, ...]:
        return self.asker.ask(KitService.refusals, self.timeout_s, modes, compiler)

    def try_law(self, request: LawRequest) -> None:
        return self.asker.ask(KitService.try_law, self.timeout_s, request)

    def comparisons(self, request: CheckRequest, path: Path) -> tuple[TensorComparison, ...]:
        return self.asker.ask(KitService.comparisons, self.timeout_s, request, path)

    def gradients(self, workload: Workload, batch: Batch, dtype: DType) -> Mapping[str, np.ndarray]:
        return self.asker.ask(KitService.gradients, self.timeout_s, workload, batch, dtype)
