"""Announces the backend; imports nothing heavy."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    return [
        BackendInfo(
            name="numpy",
            title="NumPy",
            modes=("eager",),
            default_mode="eager",
            target="dnnbench_numpy.backend:NumpyBackend",
            script="dnnbench_numpy.script.writer:NumpyScript",
            requires=("numpy",),
            reference=True,
            cpu_only=True,
        )
    ]
