"""Announces a faulty twin of each backend, whose modes are `honest` and its faults."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl

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


@hookimpl
def dnnbench_backends():
    return [_twin(name) for name in BACKENDS]


def _twin(name):
    planted = [
        fault.mode
        for fault in (*FAULTS, *PROGRAM_FAULTS, *UNCHECKED_FAULTS, *STRANGERS)
        if fault.backend == name
    ]
    modes = ("honest", *planted)
    apart = name == "jax"
    return BackendInfo(f"faulty_{name}",
        f"Faulty {name}", modes, "honest", f"dnnbench_faults.backend:{name.title()}",
                       float64_apart=apart)  # fmt: skip
