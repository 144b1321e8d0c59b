"""How PyTorch keeps arrays, by NumPy: as `dnnbench_torch.layouts` lays them."""

import numpy as np

NATURAL = ((), ())


def shape(type):
    """Axes of an example, of an image (C, H, W)."""
    if type.kind != "float" or len(type.shape) != 3:
        return type.shape
    height, width, channels = type.shape
    return channels, height, width


def laid_by(model):
    """A function that gives a parameter of that name as PyTorch's ops take it."""
    axes = _axes(model)
    return lambda name, array: _ordered(array, axes.get(name, NATURAL))


def of_images(array):
    """(N, C, H, W) of (N, H, W, C); other tensors as they are."""
    return np.moveaxis(array, -1, 1) if array.ndim == 4 else array


def canonical(model, answers):
    """Weights and gradients among a script's answers in the spec's order of axes."""
    axes = _axes(model)
    moved = {}
    for text, array in answers.items():
        group, _, name = text.partition("/")
        of_weights = group in ("weights", "gradients")
        moved[text] = _back(array, axes.get(name, NATURAL)) if of_weights else array
    return moved


def refusal(model):
    """Why the weights cannot be laid for all that read them; empty if they can."""
    for node in model.nodes:
        for role, name in model.roles(node)[0].items():
            if _axes(model).get(name, NATURAL) != (_layout(node.op, role) or NATURAL):
                return (
                    f"'{name}' is shared by ops that PyTorch wants it in different layouts for, "
                    "which scripts do not write yet"
                )
    return ""


def _axes(model):
    """(axes among the canonical ones, order of blocks of the last axis) by name."""
    axes = {c.name: ((2, 0, 1), ()) for c in model.constants if len(c.shape) == 3}
    for node in model.nodes:
        for role, name in model.roles(node)[0].items():
            if layout := _layout(node.op, role):
                axes.setdefault(name, layout)
    return axes


def _layout(op, role):
    gates = (1, 0, 2) if op.kind == "gru" and role != "hidden_bias" else ()
    match op.kind, role:
        case "dense", "weight" if op.transposed:
            return None
        case (("dense" | "lstm" | "gru"), ("weight" | "recurrent")):
            return (1, 0), gates
        case "conv1d", "weight":
            return (2, 1, 0), ()
        case (("conv2d" | "conv_transpose2d"), "weight"):
            return (3, 2, 0, 1), ()
    return ((0,), gates) if gates else None


def _ordered(array, layout):
    axes, blocks = layout
    if blocks:
        parts = np.split(array, len(blocks), -1)
        array = np.concatenate([parts[i] for i in blocks], -1)
    return array.transpose(axes) if axes else array


def _back(array, layout):
    axes, blocks = layout
    array = array.transpose(np.argsort(axes)) if axes else array
    return _ordered(array, ((), tuple(np.argsort(blocks)))) if blocks else array
