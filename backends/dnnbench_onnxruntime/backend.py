"""ONNX Runtime as dnnbench knows it."""

from importlib.metadata import version

import onnxruntime
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.capabilities import Capabilities

from . import device
from .program import OnnxRuntimeProgram

WARNINGS_AND_LESS = 3
"""Severity below which ONNX Runtime keeps to itself."""
WITHOUT_FLOAT64 = frozenset(
    {"avg_pool2d", "conv1d", "conv2d", "conv_transpose2d", "elu", "gru", "lstm"}
)
"""Ops whose kernels on the CPU are float32's alone; a gelu by erf is another."""


class OnnxRuntimeBackend(Backend):
    """Networks written in ONNX, optimised as far as the mode says, in float32 and float64."""

    name = "onnxruntime"

    def versions(self):
        return {name: version(name) for name in ("onnxruntime", "onnx")}

    def configure(self, arm):
        """Threads and denormals are each session's own."""
        onnxruntime.set_default_logger_severity(WARNINGS_AND_LESS)
        onnxruntime.disable_telemetry_events()

    def devices(self):
        return device.devices()

    def capabilities(self, workload, arm):
        if arm.dtype not in ("float32", "float64"):
            return Capabilities.none(
                "ONNX Runtime's kernels on the CPU compute in float32 and float64, "
                f"not in {arm.dtype}"
            )
        if lacking := _without_kernel(workload.model, arm.dtype):
            return Capabilities.none(
                f"ONNX Runtime has no kernel in float64 for {', '.join(lacking)}"
            )
        return Capabilities.inference_only("ONNX Runtime infers what others have trained")

    def build(self, workload, weights, arm, seed=0):
        return OnnxRuntimeProgram(workload, weights, arm)


def _without_kernel(model, dtype):
    """Ops of the network that it cannot compute in the type."""
    if dtype == "float32":
        return []
    return sorted({node.op.kind for node in model.nodes if _needs_float32(node.op)})


def _needs_float32(op):
    by_erf = op.kind == "gelu" and op.approximation == "erf"
    return by_erf or op.kind in WITHOUT_FLOAT64
