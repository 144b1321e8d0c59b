"""A worker's service that tells what a backend really built."""

from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench.worker.offer import Offer
from dnnbench.worker.server.offer import WorkerServices


class Shapes:
    """Builds with the arm of a worker."""

    def __init__(self, worker: WorkerServices):
        self._arm = worker.arm

    def shapes(self, workload: Workload) -> dict[str, tuple[int, ...]]:
        """Shape by name of every learned array of a freshly built program."""
        program = self._arm.backend.build(
            workload, initial_weights(workload.model, 0), self._arm.arm, 0
        )
        try:
            return {name: array.shape for name, array in program.weights().items()}
        finally:
            program.close()


class Counting(Offer):
    """Every worker's services, and the shapes of a program's arrays."""

    def __init__(self):
        self._worker = WorkerServices()
        self._shapes = Shapes(self._worker)

    @property
    def services(self):
        return *self._worker.services, self._shapes
