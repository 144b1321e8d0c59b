"""A worker's service that tells what a backend really built."""

from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench.worker.service import Service


class Counting(Service):
    """Service, and the shapes of a program's arrays."""

    def shapes(self, workload: dict) -> dict[str, list[int]]:
        """Shape by name of every learned array of a freshly built program."""
        spec = Workload.model_validate(workload)
        program = self._backend.build(spec, initial_weights(spec.model, 0), self._arm, 0)
        try:
            return {name: list(array.shape) for name, array in program.weights().items()}
        finally:
            program.close()
