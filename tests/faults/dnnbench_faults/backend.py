"""A backend that plants the fault its mode names, into the real backend's own modules
and programs.
"""

from dataclasses import replace
from importlib import import_module

from .planting import Planted
from .table import BACKENDS

_planted = Planted()
"""What this process has changed so far; the next `configure` changes it back."""


class _FaultyBackend:
    """Everything the real backend does, with one fault in it."""

    framework = ""

    def __init__(self):
        module = import_module(f"dnnbench_{self.framework}.backend")
        self._backend = getattr(module, f"{self.framework.title()}Backend")()

    def configure(self, arm):
        _planted.uproot()
        if arm.mode != "honest":
            _planted.plant(self.framework, arm.mode)
        self._backend.configure(self._real(arm))

    def capabilities(self, workload, arm):
        return self._backend.capabilities(workload, self._real(arm))

    def build(self, workload, weights, arm, seed=0):
        program = self._backend.build(workload, weights, self._real(arm), seed)
        _planted.alter(program)
        return program

    def _real(self, arm):
        return replace(arm, backend=self.framework, mode=BACKENDS[self.framework])

    def __getattr__(self, name):
        return getattr(self._backend, name)


class Numpy(_FaultyBackend):
    framework = "numpy"


class Torch(_FaultyBackend):
    framework = "torch"


class Tensorflow(_FaultyBackend):
    framework = "tensorflow"


class Jax(_FaultyBackend):
    framework = "jax"
