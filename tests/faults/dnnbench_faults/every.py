"""Every table of faults, filled: the modules that enter faults into one are imported here alone.

Strangers' faults stand by module and line, whichever module a test has imported first.
"""

from . import (  # noqa: F401
    of_strangers_jax,
    of_strangers_numpy,
    of_strangers_numpy_later,
    of_strangers_tensorflow,
    of_strangers_torch,
    of_strangers_torch_later,
    programs,
    programs_of_batches,
    programs_of_epochs,
    programs_of_processes,
)
from .program_faults import PROGRAM_FAULTS, UNCHECKED_FAULTS
from .strangers import STRANGERS
from .table import BACKENDS, FAULTS

__all__ = ["BACKENDS", "FAULTS", "PROGRAM_FAULTS", "STRANGERS", "UNCHECKED_FAULTS"]


def _place(fault):
    return fault.change.__module__, fault.change.__code__.co_firstlineno


STRANGERS.sort(key=_place)
