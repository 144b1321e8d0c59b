"""What a worker process offers unless it is told otherwise."""

from collections.abc import Sequence

from ..offer import Offer
from .agreement import AgreementServer
from .arm import ArmServer
from .timing import TimingServer
from .training import TrainingServer


class WorkerServices(Offer):
    """An arm, and timing, agreement and training with its backend."""

    def __init__(self) -> None:
        self.arm = ArmServer()
        self.timing = TimingServer(self.arm)
        self.agreement = AgreementServer(self.arm)
        self.training = TrainingServer(self.arm)

    @property
    def services(self) -> Sequence[object]:
        return self.arm, self.timing, self.agreement, self.training
