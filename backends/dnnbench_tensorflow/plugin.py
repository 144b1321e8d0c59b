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
            script="dnnbench_tensorflow.script.writer:TensorflowScript",
            requires=("tensorflow",),
            extra="tensorflow",
        )
    ]
