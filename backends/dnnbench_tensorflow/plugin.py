"""Announces the backend; imports nothing heavy."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    return [
        BackendInfo(
            name="tensorflow",
            title="TensorFlow",
            modes=("graph", "eager", "xla"),
            default_mode="graph",
            target="dnnbench_tensorflow.backend:TensorflowBackend",
            requires=("tensorflow",),
            extra="tensorflow",
        )
    ]
