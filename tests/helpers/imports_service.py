"""A worker's service that says what its process has imported."""

import sys

from dnnbench.worker.service import Service


class Imports(Service):
    """Service, and the modules behind it."""

    def modules(self) -> list[str]:
        """Names of everything that is imported by now."""
        return sorted(sys.modules)
