"""PyTorch as dnnbench knows it."""

import os
import re
import shutil

import torch
from dnnbench.errors import PluginError
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.capabilities import Capabilities

from . import device, losses, ops, optimizers
from .program import TorchProgram


class TorchBackend(Backend):
    """Networks in PyTorch: `eager`, or `compile` (torch.compile with its default backend)."""

    name = "torch"

    def versions(self):
        built_with = torch.__config__.show()
        parts = re.findall(r"(Math Kernel Library|MKL-DNN)\S* (?:Version |v)([\d.]+)", built_with)
        names = {"Math Kernel Library": "mkl", "MKL-DNN": "onednn"}
        versions = {"torch": torch.__version__}
        versions |= {names[part]: version for part, version in parts}
        if torch.version.cuda:
            versions["cuda"] = torch.version.cuda
        return versions

    def configure(self, arm):
        torch.set_num_threads(arm.threads)
        _run_one_op_at_a_time()
        _let_products_round(arm.dtype == "tf32")
        torch.backends.cudnn.benchmark = False
        torch.set_flush_denormal(True)  # as TensorFlow and XLA do on the CPU, unasked
        if arm.mode == "compile":
            _prepare_compiler()

    def devices(self):
        return device.devices()

    def capabilities(self, workload, arm):
        if arm.dtype == "tf32" and arm.device.kind != "gpu":
            return Capabilities.none(
                "tf32 is a way in which NVIDIA GPUs multiply float32: take a GPU, or float32"
            )
        task = workload.task
        wanted = [("op", node.op.kind, ops) for node in workload.model.nodes]
        wanted += [("optimizer", task.optimizer.kind, optimizers), ("loss", task.loss.kind, losses)]
        for what, kind, module in wanted:
            if not hasattr(module, kind):
                return Capabilities.none(f"dnnbench's PyTorch has no {what} '{kind}'")
        compiler = os.environ.get("CXX", "g++")
        if arm.mode == "compile" and not shutil.which(compiler):
            return Capabilities.none(
                f"torch.compile needs a C++ compiler and finds no '{compiler}'; "
                "install it, or name one in CXX"
            )
        return Capabilities()

    def build(self, workload, weights, arm, seed=0):
        return TorchProgram(workload, weights, arm, seed)


def _let_products_round(tf32):
    """Whether products of float32 may keep 10 bits of fraction on a GPU.

    Half-width ones add up in float32.
    """
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False


def _run_one_op_at_a_time():
    """One thread between ops.

    PyTorch lets it be set once in a process, before its first parallel work.
    """
    if torch.get_num_interop_threads() == 1:
        return
    try:
        torch.set_num_interop_threads(1)
    except RuntimeError:
        raise PluginError(
            f"PyTorch already runs with {torch.get_num_interop_threads()} inter-op threads "
            "and cannot go back to 1; configure it before any other work of the process"
        ) from None


def _prepare_compiler():
    """Process-wide, as torch.compile's arguments of the same meaning cost 5 microseconds a call.

    Compile in this process: helper processes outlive a worker that is killed.
    Compile for every shape of batch, without a limit past which code would run uncompiled.
    """
    import torch._dynamo.config
    import torch._inductor.config

    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.automatic_dynamic_shapes = False
    torch._dynamo.config.cache_size_limit = 256
