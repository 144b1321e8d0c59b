"""Kinds of planted faults, in the order of the page."""

from dnnbench_faults.every import FAULTS, PROGRAM_FAULTS, STRANGERS
from dnnbench_faults.strangers import Stranger

OPS = {
    "convolutions and pools": (
        "conv1d", "conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "global_avg_pool",
        "global_max_pool", "adaptive_avg_pool2d",
    ),
    "products and tables": ("dense", "matmul", "embedding", "position_embedding"),
    "norms and thinning": (
        "batch_norm", "layer_norm", "rms_norm", "group_norm", "dropout", "stochastic_depth",
    ),
    "recurrent layers and attention": ("lstm", "gru", "attention"),
    "functions of elements": (
        "gelu", "relu", "leaky_relu", "elu", "relu6", "hardswish", "softmax", "silu", "sigmoid",
        "tanh",
    ),
    "moving elements": ("flatten", "concat", "slice", "transpose", "mul", "add", "mean"),
}  # fmt: skip
"""What is faulty, by kind."""
OF_WHAT = {
    "loss": "losses and predictions",
    "prediction": "losses and predictions",
    "optimizer": "optimizers",
    "phase": "phases",
}


def kind_of(fault) -> str:
    """Of a fault of any table: a program's is called by what a check once left out."""
    if isinstance(fault, Stranger):
        return f"stranger: {fault.kind}"
    if fault in PROGRAM_FAULTS:
        return f"program: {fault.gap}"
    if fault.what in OF_WHAT:
        return OF_WHAT[fault.what]
    return next((kind for kind, ops in OPS.items() if fault.named in ops), "phases")


def kinds() -> list[str]:
    """Every kind that something is planted of."""
    order = [*OPS, *dict.fromkeys(OF_WHAT.values())]
    of_programs = dict.fromkeys(kind_of(fault) for fault in (*PROGRAM_FAULTS, *STRANGERS))
    planted = {kind_of(fault) for fault in FAULTS}
    return [*(kind for kind in order if kind in planted), *of_programs]
