"""The arm that the conformance kit tests: a worker that is replaced when it is lost."""

from ..errors import WorkerError
from ..execution.pool import spawn, start_request
from ..protocol.arm import Arm
from ..worker.clients.arm import ArmClient
from ..worker.ended import WorkerLost
from ..worker.messages import Method, P, R
from ..worker.process import Worker
from ..worker.services.arm import ArmService, Started
from .service import SERVICE, KitClient

WITHOUT_PROGRAMS = (ArmService.start, ArmService.devices, ArmService.capabilities)
"""What a worker can be asked and builds no program for."""


class ArmUnderTest:
    """Starts its worker at the first request; an arm that cannot start is not asked to again.

    arms: `ArmService` of the worker   kit: the kit's own service
    """

    def __init__(self, arm: Arm) -> None:
        self.arm = arm
        self.arms, self.kit = ArmClient(self), KitClient(self)
        self._worker: Worker | None = None
        self._refusal: WorkerError | None = None
        self._built = False

    def start(self) -> Started:
        """Import the framework. WorkerError if it cannot be."""
        if self._refusal is not None:
            raise self._refusal
        self._worker = spawn(self.arm, f"conformance-{self.arm.name}", service=SERVICE)
        try:
            return ArmClient(self._worker).start(start_request(self.arm))
        except WorkerError as error:
            self.close()
            self._refusal = error
            raise

    def ask(
        self, method: Method[P, R], timeout_s: float, /, *arguments: P.args, **named: P.kwargs
    ) -> R:
        """The worker's answer.

        WorkerError for what it raised; WorkerLost if it died: the next request gets another.
        """
        if self._worker is None:
            self.start()
        assert self._worker is not None
        self._built = self._built or method not in WITHOUT_PROGRAMS
        try:
            return self._worker.ask(method, timeout_s, *arguments, **named)
        except WorkerLost:
            self.close()
            raise

    def renew(self) -> None:
        """The next request finds a process that has built no program."""
        if self._built:
            self.close()

    def close(self) -> None:
        """End the worker."""
        self._built = False
        if self._worker is not None:
            self._worker.close()
            self._worker = None
