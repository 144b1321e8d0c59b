"""Announces the backend; imports nothing heavy."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    return [
        BackendInfo(
            name="torch",
            title="PyTorch",
            modes=("eager", "compile"),
            default_mode="eager",
            target="dnnbench_torch.backend:TorchBackend",
            script="dnnbench_torch.script.writer:TorchScript",
            requires=("torch",),
            extra="torch",
            caches=("TORCHINDUCTOR_CACHE_DIR",),
        )
    ]
