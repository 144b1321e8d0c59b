"""How a fault gets into a backend: functions of its modules are replaced,
methods of its programs are wrapped.
"""

from importlib import import_module
from pathlib import Path

from .every import FAULTS, PROGRAM_FAULTS, STRANGERS, UNCHECKED_FAULTS
from .strangers import BUILT

REPLACEMENTS = {}
"""(framework, mode) -> [(module, function, honest -> fault)], filled by the modules of faults."""
ALTERATIONS = {}
"""(framework, mode) -> function that changes a program."""


def replaces(*targets):
    """Register `make(honest)` as the fault of its own name, in place of `module.function`
    of the backend it is written for.
    """

    def register(make):
        key = _framework(make), make.__name__
        REPLACEMENTS[key] = [(*target.split("."), make) for target in targets]
        return make

    return register


def alters(change):
    """Register a function that changes a program as the fault of its own name."""
    ALTERATIONS[_framework(change), change.__name__] = change
    return change


def _framework(function):
    """The one that a function's module plants in: `in_torch` and `in_torch_common` are torch's."""
    return function.__module__.rpartition(".")[2].split("_")[1]


class Planted:
    """The fault that stands in this process, if any."""

    def __init__(self):
        self._honest = []
        self._alteration = None

    def plant(self, framework, mode):
        """Put a fault of the table into its backend; KeyError if nobody wrote it."""
        BUILT.clear()
        for fault in STRANGERS:
            if (fault.backend, fault.mode) == (framework, mode):
                self._plant_stranger(fault)
                return
        for part in sorted(Path(__file__).parent.glob(f"in_{framework}*.py")):
            import_module(f"dnnbench_faults.{part.stem}")
        key = framework, mode
        every = (*PROGRAM_FAULTS, *UNCHECKED_FAULTS)
        changes = {(fault.backend, fault.mode): fault.change for fault in every if fault.change}
        if change := (ALTERATIONS | changes).get(key):
            self._alteration = change
            return
        for module_name, function, make in (
            REPLACEMENTS[key] if key in REPLACEMENTS else self._generic(framework, mode)
        ):
            self._replace(framework, module_name, function, make)

    def _plant_stranger(self, fault):
        if not fault.targets:
            self._alteration = fault.change
        for target in fault.targets:
            self._replace(fault.backend, *target.split("."), fault.change)

    def _replace(self, framework, module_name, function, make):
        module = import_module(f"dnnbench_{framework}.{module_name}")
        honest = getattr(module, function)
        self._honest.append((module, function, honest))
        setattr(module, function, make(honest))

    def _generic(self, framework, mode):
        """A mechanism that any op can suffer, in all functions that compute the op."""
        fault = next(f for f in FAULTS if (f.backend, f.mode) == (framework, mode))
        tools = import_module(f"dnnbench_faults.in_{framework}").TOOLS
        change = getattr(import_module("dnnbench_faults.anywhere"), fault.mechanism_name)
        ops = import_module(f"dnnbench_{framework}.ops")
        names = [name for name in (fault.target, f"{fault.target}_training") if hasattr(ops, name)]
        return [("ops", name, lambda honest: change(honest, tools)) for name in names]

    def alter(self, program):
        """Change a program that was built."""
        if self._alteration:
            self._alteration(program)

    def uproot(self):
        """Everything as it was."""
        for module, function, honest in reversed(self._honest):
            setattr(module, function, honest)
        self._honest, self._alteration = [], None
