"""A worker's service that calls a phase of a program and gives everything back."""

from collections.abc import Mapping

import numpy as np
from dnnbench.protocol.batch import Batch
from dnnbench.spec.workload import Workload
from dnnbench.worker.offer import Offer
from dnnbench.worker.server.offer import WorkerServices


class Calling:
    """Builds with the arm of a worker."""

    def __init__(self, worker: WorkerServices):
        self._arm = worker.arm

    def answers(
        self,
        workload: Workload,
        weights: Mapping[str, np.ndarray],
        batch: Batch,
        phase: str,
        steps: int,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """What the last of so many calls gives, and after training steps the weights too."""
        program = self._arm.backend.build(workload, weights, self._arm.arm, seed)
        try:
            placed = program.put(batch)
            for _ in range(steps):
                result = getattr(program, phase)(placed)
                program.wait(result)
            answers = program.get(result)
            if phase == "train_step":
                answers |= {f"weights/{name}": a for name, a in program.weights().items()}
                answers |= {f"state/{name}": a for name, a in program.model_state().items()}
            return answers
        finally:
            program.close()


class Answering(Offer):
    """Every worker's services, and what a program answers."""

    def __init__(self):
        self._worker = WorkerServices()
        self._calling = Calling(self._worker)

    @property
    def services(self):
        return *self._worker.services, self._calling
