"""The JAX backend, and what it sets for a whole process."""

import os

import jax
import jaxlib
import optax
from dnnbench.errors import PluginError
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.capabilities import Capabilities
from dnnbench.protocol.precision import PRECISIONS

from . import device, losses, ops, optimizers
from .program import JaxProgram


class JaxBackend(Backend):
    """Networks in JAX, compiled as a whole by XLA or run op by op."""

    name = "jax"

    def versions(self):
        return {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "optax": optax.__version__}

    def configure(self, arm):
        os.environ["NPROC"] = str(arm.threads)
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        jax.config.update("jax_enable_x64", arm.dtype == "float64")
        jax.config.update(
            "jax_default_matmul_precision", "tensorfloat32" if arm.dtype == "tf32" else "highest"
        )
        jax.config.update("jax_default_device", device.resolve(arm.device))
        _check_threads(arm.threads)

    def devices(self):
        return device.devices()

    def capabilities(self, workload, arm):
        if arm.dtype not in PRECISIONS:
            return Capabilities.none(
                f"this backend knows no element type {arm.dtype}; "
                f"it computes in {', '.join(PRECISIONS)}"
            )
        if arm.dtype == "tf32" and arm.device.kind != "gpu":
            return Capabilities.none(
                "tf32 is a way in which NVIDIA GPUs multiply float32: take a GPU, or float32"
            )
        task = workload.task
        wanted = [(ops, node.op.kind) for node in workload.model.nodes]
        for module, kind in [*wanted, (losses, task.loss.kind), (optimizers, task.optimizer.kind)]:
            if not hasattr(module, kind):
                return Capabilities.none(
                    f"this backend has no '{kind}' among its {module.__name__.rpartition('.')[2]}"
                )
        return Capabilities()

    def build(self, workload, weights, arm, seed=0):
        return JaxProgram(workload, weights, arm, seed)


def _check_threads(wanted: int) -> None:
    """XLA reads its thread count once, from NPROC when it starts, and has at least one thread
    a logical CPU device.
    """
    got = device.threads()
    if got is not None and got != max(wanted, len(jax.devices("cpu"))):
        raise PluginError(
            f"JAX runs on {got} threads in this process, wanted {wanted}; "
            "XLA cannot change that once it has started: "
            "configure the backend before any other use of JAX, in a process of its own"
        )
