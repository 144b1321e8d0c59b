"""Programs: built in this process, and with one method changed."""

import importlib

from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights


def built(text, workload):
    """A program of an arm, `torch:compile`, from initial weights."""
    backend, _, mode = text.partition(":")
    module, _, name = plugins().backends[backend].target.partition(":")
    made = getattr(importlib.import_module(module), name)()
    return made.build(workload, initial_weights(workload.model, 0), Arm(backend, mode))


class Changed:
    """An honest program with one method replaced."""

    def __init__(self, program, **replaced):
        self._program = program
        for name, method in replaced.items():
            setattr(self, name, lambda *a, method=method: method(program, *a))

    def __getattr__(self, name):
        return getattr(self._program, name)
