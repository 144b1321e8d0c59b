"""TensorFlow as a contender: `graph` (tf.function), `eager`, and `xla` (tf.function compiled)."""

import tensorflow as tf
from dnnbench.errors import PluginError
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.capabilities import Capabilities

from . import device, losses, ops, optimizers
from .program import TensorflowProgram


class TensorflowBackend(Backend):
    """Networks in TensorFlow's own ops and variables, without Keras."""

    name = "tensorflow"

    def versions(self):
        build = tf.sysconfig.get_build_info()
        built_for = [name for name in ("cuda", "cudnn") if f"{name}_version" in build]
        return {"tensorflow": tf.__version__} | {
            name: build[f"{name}_version"] for name in built_for
        }

    def configure(self, arm):
        try:
            tf.config.threading.set_intra_op_parallelism_threads(arm.threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError as error:
            raise PluginError(_too_late(arm, error)) from error
        tf.config.set_soft_device_placement(False)
        tf.config.experimental.set_synchronous_execution(True)

    def devices(self):
        return device.devices()

    def capabilities(self, workload, arm):
        if arm.dtype == "tf32" and arm.device.kind != "gpu":
            return Capabilities.none(
                "tf32 is a way in which NVIDIA GPUs multiply float32: take a GPU, or float32"
            )
        for module, kind in _wanted(workload):
            if not hasattr(module, kind):
                where = module.__name__.rpartition(".")[2]
                return Capabilities.none(
                    f"dnnbench's TensorFlow backend has no '{kind}' among its {where}"
                )
        return Capabilities()

    def build(self, workload, weights, arm, seed=0):
        tf.config.experimental.enable_tensor_float_32_execution(arm.dtype == "tf32")
        return TensorflowProgram(workload, weights, arm, seed)


def _wanted(workload):
    """(module, function) for everything that the workload is made of."""
    task = workload.task
    yield from (
        (losses, task.loss.kind),
        (losses, task.loss.prediction),
        (optimizers, task.optimizer.kind),
    )
    yield from ((ops, node.op.kind) for node in workload.model.nodes)


def _too_late(arm, error):
    intra = tf.config.threading.get_intra_op_parallelism_threads()
    return (
        f"TensorFlow runs already with {intra} threads in this process and takes no other setting "
        f"({error}); {arm.name} wants {arm.threads}: give it a process of its own"
    )
