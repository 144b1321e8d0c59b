"""Announces the workloads; each is built only when asked for."""

from importlib import import_module

from dnnbench.plugins.hooks import WorkloadInfo, hookimpl

WORKLOADS = {
    "mlp_digits": ("mlp", "MLP 64-128-64-10 on 8x8 digits"),
    "cnn_digits": ("cnn", "CNN of two conv blocks on 8x8 digits"),
}


def _builder(file: str, name: str):
    def build():
        return getattr(import_module(f"dnnbench_workloads.{file}"), name)()

    return build


@hookimpl
def dnnbench_workloads():
    return [WorkloadInfo(name, text, _builder(file, name)) for name, (file, text) in WORKLOADS.items()]
