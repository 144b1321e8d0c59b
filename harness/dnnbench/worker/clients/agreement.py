"""Asks a worker to hold its arm against the reference."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...agreement.check import Agreement
from ...agreement.comparison import TensorComparison
from ...agreement.keys import TensorKey
from ...agreement.trace import Trace
from ..services.agreement import AgreementService, CheckRequest, NodeComparisons, ReplayRequest
from .base import Client


class AgreementClient(Client, AgreementService):
    """`AgreementService` of a worker."""

    def make_reference(self, request: CheckRequest, path: Path) -> None:
        return self.asker.ask(AgreementService.make_reference, self.timeout_s, request, path)

    def check(self, request: CheckRequest, path: Path) -> tuple[Agreement, ...]:
        return self.asker.ask(AgreementService.check, self.timeout_s, request, path)

    def make_node_reference(self, request: ReplayRequest, path: Path) -> None:
        return self.asker.ask(AgreementService.make_node_reference, self.timeout_s, request, path)

    def node_values(self, request: ReplayRequest) -> Mapping[TensorKey, np.ndarray]:
        return self.asker.ask(AgreementService.node_values, self.timeout_s, request)

    def compare_nodes(self, request: ReplayRequest, path: Path, tensors: bool) -> NodeComparisons:
        return self.asker.ask(
            AgreementService.compare_nodes, self.timeout_s, request, path, tensors
        )

    def find_traces(self, request: CheckRequest) -> tuple[Trace, ...]:
        return self.asker.ask(AgreementService.find_traces, self.timeout_s, request)

    def find_repeats(self, request: CheckRequest) -> tuple[TensorComparison, ...]:
        return self.asker.ask(AgreementService.find_repeats, self.timeout_s, request)
