"""PyTorch as dnnbench knows it."""

import os
import re
import shutil

import torch
from dnnbench.errors import PluginError
from dnnbench.protocol.backend import Backend

from . import device, losses, ops, optimizers
from .program import TorchProgram


class TorchBackend(Backend):
    """Networks in PyTorch: `eager`, or `compile` (torch.compile with its default backend)."""

    name = "torch"

    def versions(self):
        built_with = torch.__config__.show()
        parts = dict(re.findall(r"(Math Kernel Library|MKL-DNN)\S* (?:Version |v)([\d.]+)", built_with))
        names = {"Math Kernel Library": "mkl", "MKL-DNN": "onednn"}
        found = {"torch": torch.__version__} | {names[part]: version for part, version in parts.items()}
        return found | ({"cuda": torch.version.cuda} if torch.version.cuda else {})

    def configure(self, arm):
        torch.set_num_threads(arm.threads)
        _run_one_op_at_a_time()
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        torch.set_flush_denormal(False)
        if arm.mode == "compile":
            _prepare_compiler()

    def devices(self):
        return device.devices()

    def unsupported(self, workload, arm):
        if arm.dtype not in ("float32", "float64"):
            return f"dnnbench's PyTorch computes in float32 and float64, not in {arm.dtype}"
        task = workload.task
        wanted = [("op", node.op.kind, ops) for node in workload.model.nodes]
        wanted += [("optimizer", task.optimizer.kind, optimizers), ("loss", task.loss.kind, losses)]
        for what, kind, known in wanted:
            if not hasattr(known, kind):
                return f"dnnbench's PyTorch has no {what} '{kind}'"
        compiler = os.environ.get("CXX", "g++")
        if arm.mode == "compile" and not shutil.which(compiler):
            return f"torch.compile needs a C++ compiler and finds no '{compiler}'; install it, or name one in CXX"
        return None

    def build(self, workload, weights, arm, seed=0):
        return TorchProgram(workload, weights, arm, seed)


def _run_one_op_at_a_time():
    """One thread between ops; PyTorch lets it be set once in a process, before its first parallel work."""
    if torch.get_num_interop_threads() == 1:
        return
    try:
        torch.set_num_interop_threads(1)
    except RuntimeError:
        raise PluginError(
            f"PyTorch already runs with {torch.get_num_interop_threads()} inter-op threads and cannot go back "
            "to 1; configure it before any other work of the process"
        ) from None


def _prepare_compiler():
    """Process-wide, as torch.compile's arguments of the same meaning cost 5 microseconds a call.

    Compile in this process: helper processes outlive a worker that is killed. Compile for every shape of batch,
    without a limit past which code would run uncompiled.
    """
    import torch._dynamo.config
    import torch._inductor.config

    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.automatic_dynamic_shapes = False
    torch._dynamo.config.cache_size_limit = 256
