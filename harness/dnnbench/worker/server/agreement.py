"""The arm of this process held against the reference."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...agreement.check import Agreement, check
from ...agreement.grid import batch_on_grid, on_grid
from ...agreement.keys import TensorKey, Tensors
from ...agreement.nodes import compare_nodes, observe_nodes
from ...agreement.observing import Build
from ...agreement.reference import make_reference
from ...agreement.reference_files import load_reference, save_reference
from ...agreement.replay import Replay
from ...errors import PluginError
from ...host.memory import give_back
from ...protocol.arm import Arm
from ...protocol.batch import Batch
from ...protocol.dtypes import DType
from ...protocol.program import Program
from ...spec.weights import initial_weights
from ...spec.workload import Workload
from ..services.agreement import AgreementService, CheckRequest, NodeComparisons, ReplayRequest
from .arm import ArmServer, refusal


class AgreementServer(AgreementService):
    """Holds nothing between two requests."""

    def __init__(self, arm: ArmServer) -> None:
        self._arm = arm

    def make_reference(self, request: CheckRequest, path: Path) -> None:
        weights = on_grid(initial_weights(request.workload.model, request.seed), request.dtype)
        build_in = self._reference_builder(weights, request.seed)
        reference = make_reference(
            build_in, request.workload, batches_of(request), request.steps, request.dtype
        )
        save_reference(reference, path)

    def check(self, request: CheckRequest, path: Path) -> tuple[Agreement, ...]:
        workload, dtype = request.workload, request.dtype
        build = self.builder(request)
        arm = self._arm.arm.with_dtype(dtype)
        rows = check(
            build,
            workload,
            dtype,
            load_reference(path),
            batches_of(request),
            request.steps,
            lambda variant: refusal(self._arm.backend, variant, arm),
        )
        give_back()
        return tuple(rows)

    def make_node_reference(self, request: ReplayRequest, path: Path) -> None:
        case = _on_grid(request)
        build_in = self._reference_builder(case.weights, request.seed)
        reference = make_reference(
            build_in, case.workload, case.batches, case.steps, request.dtype, look=observe_nodes
        )
        save_reference(reference, path)

    def node_values(self, request: ReplayRequest) -> Mapping[TensorKey, np.ndarray]:
        return self._node_values(_on_grid(request), DType.FLOAT64, request.seed)

    def compare_nodes(self, request: ReplayRequest, path: Path, tensors: bool) -> NodeComparisons:
        case = _on_grid(request)
        values = self._node_values(case, request.dtype, request.seed)
        comparisons = compare_nodes(load_reference(path), values, case.workload, request.dtype)
        wrong = [comparison.key for comparison in comparisons if not comparison.ok] if tensors else []
        return NodeComparisons(
            tuple(comparisons), {key: values[key] for key in wrong if key in values}
        )

    def builder(self, request: CheckRequest) -> Build:
        """Builds variants of a request's workload from its weights; PluginError if the arm cannot run it."""
        arm = self._arm.arm.with_dtype(request.dtype)
        if reason := refusal(self._arm.backend, request.workload, arm):
            raise PluginError(reason)
        weights = on_grid(initial_weights(request.workload.model, request.seed), request.dtype)
        return lambda variant: self._arm.backend.build(variant, weights, arm, request.seed)

    def _node_values(self, case: Replay, dtype: DType, seed: int) -> Tensors:
        arm = self._arm.arm.with_dtype(dtype)

        def build(workload: Workload) -> Program:
            return self._arm.backend.build(workload, case.weights, arm, seed)

        return observe_nodes(build, case.workload, case.batches, case.steps)

    def _reference_builder(
        self, weights: Mapping[str, np.ndarray], seed: int
    ) -> Callable[[str, str], Callable[[Workload], Program]]:
        """build_in(mode, dtype)(workload): programs of the reference that start from the same weights."""

        def build_in(mode: str, dtype: str) -> Callable[[Workload], Program]:
            arm = Arm(self._arm.arm.backend, mode, dtype=DType(dtype))
            return lambda variant: self._arm.backend.build(variant, weights, arm, seed)

        return build_in


def batches_of(request: CheckRequest) -> list[Batch]:
    """A request's batches, their inputs on the grid of its element type."""
    return [batch_on_grid(batch, request.dtype) for batch in request.batches]


def _on_grid(request: ReplayRequest) -> Replay:
    """With every weight, those that the replay does not bring being initial ones."""
    case, dtype = request.replay, request.dtype
    weights = on_grid(initial_weights(case.workload.model, request.seed) | dict(case.weights), dtype)
    batches = tuple(batch_on_grid(batch, dtype) for batch in case.batches)
    return replace(case, batches=batches, weights=weights)
