"""What a worker of the conformance kit offers:
`python -m dnnbench.worker --service dnnbench.testing.server:KitServices`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..agreement.comparing import compare
from ..agreement.comparison import TensorComparison
from ..agreement.observing import observe
from ..agreement.reference import Reference
from ..agreement.reference_files import load_reference
from ..agreement.rehearsal import rehearse
from ..errors import PluginError
from ..host.memory import give_back
from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..protocol.program import Program, trainable
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..worker.offer import Offer
from ..worker.server.agreement import batches_of as batches_of_request
from ..worker.server.offer import WorkerServices
from ..worker.services.agreement import CheckRequest
from .cases.batches import batches_of
from .laws import LAWS
from .refusal import Refusal, refused_by
from .service import KitService, LawRequest
from .trial import Trial

SEED = 0
"""Of the programs that laws and gradients are asked of."""


class KitServer(KitService):
    """Asks the arm that `worker` holds."""

    def __init__(self, worker: WorkerServices) -> None:
        self._worker = worker

    def refusals(self, modes: tuple[str, ...], compiler: bool) -> tuple[Refusal, ...]:
        arm = self._worker.arm
        return tuple(refused_by(arm.backend, arm.arm, modes, compiler))

    def try_law(self, request: LawRequest) -> None:
        arm, workload = self._worker.arm, request.workload
        weights = initial_weights(workload.model, SEED)
        batches = batches_of(workload, size=workload.batch_size)

        def build(weights: Mapping[str, np.ndarray]) -> Program:
            return arm.backend.build(workload, weights, arm.arm, SEED)

        def reseeded(weights: Mapping[str, np.ndarray]) -> Program:
            return arm.backend.build(workload, weights, arm.arm, SEED + 1)

        trial = Trial(build, weights, batches, request.phases, workload, reseeded)
        LAWS[request.law](trial)

    def comparisons(self, request: CheckRequest, path: Path) -> tuple[TensorComparison, ...]:
        workload, own = request.workload, request.workload.task.optimizer
        build, phases = self._worker.agreement.builder(request), request.phases
        missing = self._worker.arm.capabilities(workload, request.dtype).missing
        if reasons := [missing[phase] for phase in phases if phase in missing]:
            raise PluginError("; ".join(dict.fromkeys(reasons)))
        batches, initial = batches_of_request(request), self._worker.agreement.initial(request)
        tensors = observe(
            build, workload, batches, request.steps, [own], phases, rehearse, initial=initial
        )
        give_back()
        reference = _trained_by(own.kind, load_reference(path))
        return tuple(compare(reference, tensors, workload, request.dtype, phases))

    def gradients(self, workload: Workload, batch: Batch, dtype: DType) -> Mapping[str, np.ndarray]:
        arm = self._worker.arm
        weights = initial_weights(workload.model, SEED)
        program = arm.backend.build(workload, weights, arm.arm.with_dtype(dtype), SEED)
        try:
            return program.get(trainable(program).gradients(program.put(batch)))
        finally:
            program.close()


class KitServices(Offer):
    """Every worker's services, and the kit's."""

    def __init__(self) -> None:
        self._worker = WorkerServices()
        self._kit = KitServer(self._worker)

    @property
    def services(self) -> Sequence[object]:
        return *self._worker.services, self._kit


def _trained_by(optimizer: str, reference: Reference) -> Reference:
    """A reference without the trajectories of other optimizers."""
    tensors = reference.tensors.items()
    own = {key: r for key, r in tensors if key.optimizer in ("", optimizer)}
    return replace(reference, tensors=own)
