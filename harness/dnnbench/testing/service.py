"""A worker's service that can also be held against the laws: `python -m dnnbench.worker --service ...`."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..agreement.comparing import compare
from ..agreement.grid import batch_on_grid
from ..agreement.observing import observe
from ..agreement.reference import Reference
from ..agreement.reference_files import load_reference
from ..host.memory import give_back
from ..protocol.batch import Batch
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..worker.service import Service, refusal
from .cases.batches import batches_of
from .laws import LAWS
from .refusals import refused_by


class LawService(Service):
    """Service, and what tests ask besides."""

    def refusal(self, workload: dict, dtype: str) -> str | None:
        """Why the arm cannot run the workload in an element type, or None."""
        return refusal(self._backend, Workload.model_validate(workload), self._arm.with_dtype(dtype))

    def refusals(self, modes: list[str], tools: bool) -> list[dict]:
        """Everything that the backend says it cannot do, on a machine with or without a compiler."""
        return [refusal._asdict() for refusal in refused_by(self._backend, self._arm, modes, tools)]

    def law(self, name: str, workload: dict, seed: int = 0) -> None:
        """Hold the started backend against one law on one workload; raises LawBroken."""
        spec = Workload.model_validate(workload)
        weights = initial_weights(spec.model, seed)
        batches = batches_of(spec, size=spec.batch_size)
        LAWS[name](lambda: self._backend.build(spec, weights, self._arm, seed), batches)

    def findings(
        self, workload: dict, dtype: str, batches: list[dict], steps: list[int], seed: int, path: str, study: str
    ) -> list[dict]:
        """The arm held against a reference, every tensor told; trained by the workload's own optimizer alone."""
        spec = Workload.model_validate(workload)
        build = self._builder(spec, dtype, seed, study)
        fed = [batch_on_grid(Batch(**b), study) for b in batches]
        seen = observe(build, spec, fed, steps, [spec.task.optimizer])
        give_back()
        reference = _trained_by(spec.task.optimizer.kind, load_reference(Path(path)))
        return [comparison.to_json() for comparison in compare(reference, seen, spec, dtype)]

    def gradients(self, workload: dict, batch: dict, dtype: str, seed: int = 0) -> dict[str, np.ndarray]:
        """One gradient pass: outputs, state, loss and gradients as `Program.get` names them."""
        spec = Workload.model_validate(workload)
        program = self._backend.build(spec, initial_weights(spec.model, seed), self._arm.with_dtype(dtype), seed)
        try:
            return program.get(program.gradients(program.put(Batch(**batch))))
        finally:
            program.close()


def _trained_by(optimizer: str, reference: Reference) -> Reference:
    """What a reference tells without the trajectories of other optimizers."""
    tensors = reference.tensors.items()
    own = {key: r for key, r in tensors if key.optimizer in ("", optimizer)}
    return replace(reference, tensors=own)
