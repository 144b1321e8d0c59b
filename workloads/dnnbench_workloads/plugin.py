"""Announces the workloads; each is built only when asked for."""

from importlib import import_module

from dnnbench.plugins.hooks import WorkloadInfo, hookimpl

FILES = {
    "mlp_digits": "digits",
    "cnn_digits": "digits",
    "mlp": "mlp",
    "autoencoder": "autoencoder",
    "lenet5": "lenet",
    "alexnet": "alexnet",
    "vgg16": "vgg",
    "vgg16_bn": "vgg",
    "resnet18": "resnet",
    "resnet34": "resnet",
    "resnet50": "resnet",
    "mobilenet_v2": "mobilenet",
    "densenet121": "densenet",
    "efficientnet_b0": "efficientnet",
    "convnext_tiny": "convnext",
    "unet": "unet",
    "vit_b_16": "vit",
    "bert_base": "bert",
    "gpt2_small": "gpt2",
    "gpt2_small_prefill": "gpt2_inference",
    "gpt2_small_decode": "gpt2_inference",
    "lstm_lm": "lstm_lm",
    "gru_seq2seq": "seq2seq",
    "ncf": "ncf",
    "dlrm": "dlrm",
    "mlp_table": "tables",
}
"""File by workload, in the order of `dnnbench list workloads`.

The builder bears the workload's name, its docstring's first paragraph describes it,
and TINY in its file is the preset `tiny`.
"""
DEFAULT = ("mlp_digits", "cnn_digits")
"""What a run without a name measures."""


def _info(name: str, file: str) -> WorkloadInfo:
    module = import_module(f"dnnbench_workloads.{file}")
    build = getattr(module, name)
    presets = {"tiny": module.TINY} if hasattr(module, "TINY") else {}
    summary = " ".join(build.__doc__.split("\n\n")[0].split())
    return WorkloadInfo(name, summary.rstrip("."), build, presets, name in DEFAULT)


@hookimpl
def dnnbench_workloads():
    return [_info(name, file) for name, file in FILES.items()]
