"""Announces a faulty twin of each backend, whose modes are `honest` and its faults."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl

from .every import BACKENDS, FAULTS, PROGRAM_FAULTS, STRANGERS, UNCHECKED_FAULTS


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
