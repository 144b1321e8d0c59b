"""A worker's service that says what its process has imported."""

import sys

from dnnbench.worker.offer import Offer
from dnnbench.worker.server.offer import WorkerServices


class Modules:
    """Answers for the process."""

    def modules(self) -> tuple[str, ...]:
        """Names of everything that is imported by now."""
        return tuple(sorted(sys.modules))


class Imports(Offer):
    """Every worker's services, and the modules behind them."""

    def __init__(self):
        self._services = (*WorkerServices().services, Modules())

    @property
    def services(self):
        return self._services
