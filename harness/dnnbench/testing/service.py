"""A worker's service that can also be held against the laws: `python -m dnnbench.measure.worker --service ...`."""

from ..measure.service import Service
from ..spec.weights import initial_weights
from .cases import CASES, batches_of, heavy
from .laws import LAWS


class LawService(Service):
    """Service, and one method more."""

    def law(self, name: str, case: str, seed: int = 0) -> None:
        """Hold the started backend against one law on one case; raises LawBroken."""
        workload = heavy() if case == "heavy" else CASES[case]()
        weights = initial_weights(workload.model, seed)
        batches = batches_of(workload, size=workload.batch_size)
        LAWS[name](lambda: self._backend.build(workload, weights, self._arm, seed), batches)
