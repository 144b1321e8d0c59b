"""The arm of this process held against the reference."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...agreement.check import Agreement, check
from ...agreement.comparison import TensorComparison
from ...agreement.deviation import largest, rmse
from ...agreement.grid import batch_on_grid, on_grid
from ...agreement.keys import TensorKey, Tensors
from ...agreement.level import level_norms
from ...agreement.nodes import compare_nodes, observe_nodes
from ...agreement.observing import Build, Initial
from ...agreement.reference import Reference, flip_errors, make_reference, worst_errors
from ...agreement.reference_files import load_reference, save_reference
from ...agreement.repeats import find_repeats
from ...agreement.replay import Replay
from ...agreement.starting import start_weights
from ...agreement.timed import How, how, is_level_row, observe_timed
from ...agreement.trace import Trace
from ...agreement.traces import find_traces
from ...errors import PluginError
from ...host.memory import give_back
from ...protocol.arm import Arm
from ...protocol.backend import capabilities_of
from ...protocol.batch import Batch
from ...protocol.dtypes import DType
from ...protocol.program import Program
from ...spec.phases import PHASES, Phase
from ...spec.weights import initial_weights
from ...spec.workload import Workload
from ..services.agreement import AgreementService, CheckRequest, NodeComparisons, ReplayRequest
from .arm import ArmServer


class AgreementServer(AgreementService):
    """Holds nothing between two requests."""

    def __init__(self, arm: ArmServer) -> None:
        self._arm = arm

    def make_reference(self, request: CheckRequest, path: Path) -> None:
        build_in = self._reference_builder(weights_of(request), request.seed)
        reference = make_reference(
            build_in,
            request.workload,
            batches_of(request),
            request.steps,
            request.dtype,
            phases=request.phases,
            initial_in=self._initial_builder(request) if starts_initial(request) else None,
        )
        timed = timed_of(request)
        if timed is not None and how(request.workload, timed.size) is How.WHOLE:
            reference = _with_timed(reference, build_in, request, timed)
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
            lambda variant: capabilities_of(self._arm.backend, variant, arm),
            request.phases,
            timed_of(request),
            self.initial(request),
        )
        give_back()
        return tuple(rows)

    def make_node_reference(self, request: ReplayRequest, path: Path) -> None:
        case = _on_grid(request)
        build_in = self._reference_builder(case.weights, request.seed)
        reference = make_reference(
            build_in,
            case.workload,
            case.batches,
            case.steps,
            request.dtype,
            look=observe_nodes,
        )
        save_reference(reference, path)

    def node_values(self, request: ReplayRequest) -> Mapping[TensorKey, np.ndarray]:
        return self._node_values(_on_grid(request), DType.FLOAT64, request.seed, PHASES)

    def compare_nodes(self, request: ReplayRequest, path: Path, tensors: bool) -> NodeComparisons:
        case = _on_grid(request)
        missing = self._arm.capabilities(case.workload, request.dtype).missing
        phases = [phase for phase in PHASES if phase not in missing]
        values = self._node_values(case, request.dtype, request.seed, phases)
        comparisons = compare_nodes(
            load_reference(path), values, case.workload, request.dtype, phases
        )
        wrong = (
            [comparison.key for comparison in comparisons if not comparison.ok] if tensors else []
        )
        return NodeComparisons(
            tuple(comparisons), {key: values[key] for key in wrong if key in values}
        )

    def find_traces(self, request: CheckRequest) -> tuple[Trace, ...]:
        offered = self._offered(request)
        build, initial = self.builder(request), self.initial(request)
        plain = None if initial is None else initial.build
        return tuple(find_traces(build, request.workload, batches_of(request), offered, plain))

    def find_repeats(self, request: CheckRequest) -> tuple[TensorComparison, ...]:
        offered = self._offered(request)
        build = self.builder(request)
        return tuple(find_repeats(build, request.workload, batches_of(request), offered))

    def _offered(self, request: CheckRequest) -> list[Phase]:
        """Phases of a request that the arm offers."""
        missing = self._arm.capabilities(request.workload, request.dtype).missing
        return [phase for phase in request.phases if phase not in missing]

    def builder(self, request: CheckRequest) -> Build:
        """Builds variants of a request's workload that have its weights.

        Those that train by the workload's own optimizer are built as they are timed, and load them.
        Initial weights are plain, biases of 0 and scales of 1: a program that was made for those,
        and left them out, is wrong with any other.  All others are built from the request's own.
        PluginError if the arm offers none of its phases.
        """
        arm = self._arm.arm.with_dtype(request.dtype)
        missing = capabilities_of(self._arm.backend, request.workload, arm).missing
        if all(phase in missing for phase in request.phases):
            raise PluginError("; ".join(dict.fromkeys(missing[phase] for phase in request.phases)))
        weights, plain = weights_of(request), initial_of(request)

        def build(variant: Workload) -> Program:
            own = variant.task.optimizer == request.workload.task.optimizer
            as_timed = own and starts_initial(request)
            start = plain if as_timed else weights
            program: Program = self._arm.backend.build(variant, start, arm, request.seed)
            if as_timed:
                program.load(weights)
            return program

        return build

    def initial(self, request: CheckRequest) -> Initial | None:
        """How the arm is built to be timed; None where no step is asked for."""
        if not starts_initial(request):
            return None
        arm, plain = self._arm.arm.with_dtype(request.dtype), initial_of(request)

        def build(variant: Workload) -> Program:
            program: Program = self._arm.backend.build(variant, plain, arm, request.seed)
            return program

        return Initial(build, weights_of(request))

    def _initial_builder(self, request: CheckRequest) -> Callable[[str, str], Initial]:
        build_in = self._reference_builder(initial_of(request), request.seed)
        weights = weights_of(request)
        return lambda mode, dtype: Initial(build_in(mode, dtype), weights)

    def _node_values(
        self, case: Replay, dtype: DType, seed: int, phases: Collection[Phase]
    ) -> Tensors:
        arm = self._arm.arm.with_dtype(dtype)
        trains = Phase.TRAIN_STEP in phases
        plain = {**case.weights, **case.built_from} if trains else case.weights

        def build(workload: Workload) -> Program:
            program: Program = self._arm.backend.build(workload, plain, arm, seed)
            if not all(np.array_equal(plain[name], case.weights[name]) for name in plain):
                program.load(case.weights)
            return program

        return observe_nodes(build, case.workload, case.batches, case.steps, phases)

    def _reference_builder(
        self, weights: Mapping[str, np.ndarray], seed: int
    ) -> Callable[[str, str], Callable[[Workload], Program]]:
        """build_in(mode, dtype)(workload): programs of the reference that start
        from the same weights.
        """

        def build_in(mode: str, dtype: str) -> Callable[[Workload], Program]:
            arm = Arm(self._arm.arm.backend, mode, dtype=DType(dtype))
            return lambda variant: self._arm.backend.build(variant, weights, arm, seed)

        return build_in


def _with_timed(
    reference: Reference,
    build_in: Callable[[str, str], Build],
    request: CheckRequest,
    timed: Batch,
) -> Reference:
    """The reference with R of the timed batch; below float64 also with how far honest rounding
    goes there, as `make_reference` measures it.
    """

    def evaluated(mode: str, dtype: str) -> Tensors:
        program = build_in(mode, dtype)(request.workload)
        try:
            return observe_timed(program, request.workload, timed, request.phases)
        finally:
            program.close()

    tensors = evaluated("eager", "float64")
    level_row = is_level_row(request.workload, timed.size)
    if request.dtype == DType.FLOAT64 and not level_row:
        return replace(reference, timed=tensors)
    honest = [evaluated(mode, request.dtype) for mode in ("eager", "blocked", "reversed")]
    return replace(
        reference,
        timed=tensors,
        timed_sigma=worst_errors(rmse, tensors, honest),
        timed_peak=worst_errors(largest, tensors, honest),
        timed_kink=flip_errors(evaluated("flipped", "float64"), tensors),
        timed_level=level_norms(build_in("eager", "float64"), request.workload, timed)
        if level_row
        else (),
    )


def weights_of(request: CheckRequest) -> dict[str, np.ndarray]:
    """Where a request's programs start, on the grid of its element type."""
    start = start_weights(request.workload.model, request.seed)
    return on_grid(start if request.weights is None else request.weights, request.dtype)


def initial_of(request: CheckRequest) -> dict[str, np.ndarray]:
    """The weights that a request's workload is timed with, likewise."""
    return on_grid(initial_weights(request.workload.model, request.seed), request.dtype)


def starts_initial(request: CheckRequest) -> bool:
    """Whether a program that trains by the workload's own optimizer is built as it is timed."""
    return Phase.TRAIN_STEP in request.phases and not request.workload.inference_only


def batches_of(request: CheckRequest) -> list[Batch]:
    """A request's batches, their inputs on the grid of its element type."""
    return [batch_on_grid(batch, request.dtype) for batch in request.batches]


def timed_of(request: CheckRequest) -> Batch | None:
    """The batch that is timed, likewise."""
    return None if request.timed is None else batch_on_grid(request.timed, request.dtype)


def _on_grid(request: ReplayRequest) -> Replay:
    """With every weight, those that the replay does not bring being initial ones."""
    case, dtype = request.replay, request.dtype
    initial = initial_weights(case.workload.model, request.seed)
    weights = on_grid(initial | dict(case.weights), dtype)
    built_from = on_grid({n: case.built_from.get(n, p) for n, p in weights.items()}, dtype)
    batches = tuple(batch_on_grid(batch, dtype) for batch in case.batches)
    return replace(case, batches=batches, weights=weights, built_from=built_from)
