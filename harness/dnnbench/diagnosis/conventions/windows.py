"""Conventions of convolutions and pools."""

from math import prod

import numpy as np

from .scene import convention

WINDOWED = ("conv1d", "conv2d", "max_pool2d", "avg_pool2d")
CONVOLUTIONS = ("conv1d", "conv2d")


def _pads(scene):
    """((lo, hi), ...) of every spatial axis."""
    pads = scene.op.pads(scene.model.input_types(scene.node))
    return (pads,) if scene.op.kind == "conv1d" else pads


def _padding(scene, pads):
    return scene.with_op(padding=pads[0] if scene.op.kind == "conv1d" else pads)


@convention("symmetric padding, or before and after swapped", *WINDOWED)
def symmetric(scene):
    """Where both give images of one size, they are the same function."""
    return _padding(scene, tuple((max(pair), max(pair)) for pair in _pads(scene)))


@convention("padding on the other side (before and after swapped)", *WINDOWED)
def other_side(scene):
    return _padding(scene, tuple((hi, lo) for lo, hi in _pads(scene)))


@convention("padding before the image alone", *WINDOWED)
def all_before(scene):
    return _padding(scene, tuple((sum(pair), 0) for pair in _pads(scene)))


@convention("padding of height and width swapped", "conv2d", "max_pool2d", "avg_pool2d")
def axes_swapped(scene):
    return _padding(scene, _pads(scene)[::-1])


@convention("padding 'same' in place of numbers", *WINDOWED)
def same_instead(scene):
    return scene.with_op(padding="same")


@convention("padding with zeros in place of -inf", "max_pool2d")
def zero_padding(scene):
    rows, columns = scene.op.steps

    def formula():
        padded = np.pad(scene.inputs[0], ((0, 0), *_pads(scene), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, scene.op.window, axis=(1, 2))
        return windows[:, ::rows, ::columns].max(axis=(-2, -1))

    return scene.value(formula)


@convention("divisor that counts padding, or leaves it out, against the spec", "avg_pool2d")
def divisor(scene):
    return scene.with_op(count_include_pad=not scene.op.count_include_pad)


@convention("kernel flipped (convolution in place of cross-correlation)", *CONVOLUTIONS, "conv_transpose2d")
def flipped(scene):
    axes = tuple(range(scene.parameter("weight").ndim - 2))
    return scene.with_parameters(weight=lambda w: np.flip(w, axes))


@convention("kernel's height and width swapped", "conv2d", "conv_transpose2d")
def kernel_transposed(scene):
    square = scene.op.kernel[0] == scene.op.kernel[1]
    return scene.with_parameters(weight=lambda w: w.swapaxes(0, 1)) if square else None


@convention("kernel's channels and filters swapped", "conv2d", "conv_transpose2d")
def channels_swapped(scene):
    shape = scene.parameter("weight").shape
    return scene.with_parameters(weight=lambda w: w.swapaxes(2, 3)) if shape[2] == shape[3] else None


@convention("dilation left out", *CONVOLUTIONS)
def undilated(scene):
    return scene.with_op(dilation=1 if scene.op.kind == "conv1d" else (1, 1))


@convention("filters of a group numbered across groups", *CONVOLUTIONS)
def groups_interleaved(scene):
    groups = scene.op.groups
    return scene.with_parameters(weight=lambda w: _interleaved(w, groups)) if groups > 1 else None


def _interleaved(w, groups):
    """Filters f = g n + i of G groups of n taken from i G + g."""
    return w.reshape(*w.shape[:-1], -1, groups).swapaxes(-1, -2).reshape(w.shape)


@convention("bias left out", *CONVOLUTIONS, "conv_transpose2d")
def no_bias(scene):
    return scene.with_parameters(bias=np.zeros_like) if scene.op.bias else None


@convention("places cut off at the other side", "conv_transpose2d")
def cut_swapped(scene):
    return scene.with_op(padding=tuple((hi, lo) for lo, hi in scene.op.pads))


@convention("extra row before the image in place of after it", "conv_transpose2d")
def extra_before(scene):
    moved = zip(scene.op.pads, scene.op.output_padding, strict=True)
    if any(lo < extra for (lo, _), extra in moved):
        return None
    pads = tuple(
        (lo - extra, hi + extra) for (lo, hi), extra in zip(scene.op.pads, scene.op.output_padding, strict=True)
    )
    return scene.with_op(padding=pads)


@convention("a sum over the window in place of its mean", "avg_pool2d", "global_avg_pool")
def summed(scene):
    x = scene.inputs[0]
    count = prod(x.shape[1:3]) if scene.op.kind == "global_avg_pool" else prod(scene.op.window)
    return scene.value(lambda: scene.truth[f"activations/{scene.node.name}"] * count)


@convention("gradient of ties shared among equal elements", "global_max_pool")
def ties_shared(scene):
    x = scene.inputs[0]
    ties = x == x.max(axis=(1, 2), keepdims=True)
    return scene.input_gradient(0, lambda g: ties / ties.sum(axis=(1, 2), keepdims=True) * g[:, None, None, :])


@convention("ties send the gradient to every equal element", "global_max_pool")
def ties_repeated(scene):
    x = scene.inputs[0]
    return scene.input_gradient(0, lambda g: (x == x.max(axis=(1, 2), keepdims=True)) * g[:, None, None, :])
