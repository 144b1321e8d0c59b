"""Announces the backend; imports nothing heavy."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    return [
        BackendInfo(
            name="onnxruntime",
            title="ONNX Runtime",
            modes=("full", "extended", "basic", "unoptimized"),
            default_mode="full",
            target="dnnbench_onnxruntime.backend:OnnxRuntimeBackend",
            script="dnnbench_onnxruntime.script.writer:OnnxRuntimeScript",
            requires=("onnxruntime", "onnx"),
            cpu_only=True,
        )
    ]
