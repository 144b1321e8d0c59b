"""The arm that the conformance kit tests: a worker that is replaced when it is lost."""

from typing import Any

from ..errors import WorkerError
from ..execution.pool import BUILD_TIMEOUT_S, spawn, start_arguments
from ..protocol.arm import Arm
from ..worker.process import Worker, WorkerLost

SERVICE = "dnnbench.testing.service:LawService"


class ArmUnderTest:
    """Starts its worker at the first question; an arm that cannot start is not asked to again."""

    def __init__(self, arm: Arm):
        self.arm = arm
        self._worker: Worker | None = None
        self._refusal: WorkerError | None = None

    def start(self) -> dict[str, Any]:
        """Import the framework: seconds and versions. WorkerError if it cannot be."""
        if self._refusal is not None:
            raise self._refusal
        self._worker = spawn(self.arm, f"conformance-{self.arm.name}", service=SERVICE)
        try:
            return self._worker.call("start", BUILD_TIMEOUT_S, **start_arguments(self.arm))
        except WorkerError as error:
            self.close()
            self._refusal = error
            raise

    def ask(self, method: str, **arguments: Any) -> Any:
        """The worker's answer. WorkerError for what it raised; WorkerLost if it died, and the next question gets another."""
        if self._worker is None:
            self.start()
        try:
            return self._worker.call(method, BUILD_TIMEOUT_S, **arguments)
        except WorkerLost:
            self.close()
            raise

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
