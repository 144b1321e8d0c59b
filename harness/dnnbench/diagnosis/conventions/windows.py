"""Conventions of convolutions and pools."""

from collections.abc import Sequence
from math import prod

import numpy as np

from .convention import Answer, Change, convention
from .part import ReplayedPart

WINDOWED = ("conv1d", "conv2d", "max_pool2d", "avg_pool2d")
CONVOLUTIONS = ("conv1d", "conv2d")


def _pads(part: ReplayedPart) -> tuple[tuple[int, int], ...]:
    """((lo, hi), ...) of every spatial axis."""
    pads = part.op.pads(part.model.input_types(part.node))
    return (pads,) if part.op.kind == "conv1d" else pads


def _padding(part: ReplayedPart, pads: Sequence[tuple[int, int]]) -> Answer:
    return part.with_op(padding=pads[0] if part.op.kind == "conv1d" else pads)


@convention("symmetric padding, or before and after swapped", *WINDOWED)
def symmetric(part: ReplayedPart) -> Answer:
    """Where both give images of one size, they are the same function."""
    return _padding(part, tuple((max(pair), max(pair)) for pair in _pads(part)))


@convention("padding on the other side (before and after swapped)", *WINDOWED)
def other_side(part: ReplayedPart) -> Answer:
    return _padding(part, tuple((hi, lo) for lo, hi in _pads(part)))


@convention("padding before the image alone", *WINDOWED)
def all_before(part: ReplayedPart) -> Answer:
    return _padding(part, tuple((sum(pair), 0) for pair in _pads(part)))


@convention("padding of height and width swapped", "conv2d", "max_pool2d", "avg_pool2d")
def axes_swapped(part: ReplayedPart) -> Answer:
    return _padding(part, _pads(part)[::-1])


@convention("padding 'same' in place of numbers", *WINDOWED)
def same_instead(part: ReplayedPart) -> Answer:
    return part.with_op(padding="same")


@convention("padding with zeros in place of -inf", "max_pool2d")
def zero_padding(part: ReplayedPart) -> Answer:
    rows, columns = part.op.steps

    def formula() -> np.ndarray:
        padded = np.pad(part.inputs[0], ((0, 0), *_pads(part), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, part.op.window, axis=(1, 2))
        largest: np.ndarray = windows[:, ::rows, ::columns].max(axis=(-2, -1))
        return largest

    return part.value(formula)


@convention("divisor that counts padding, or leaves it out, against the spec", "avg_pool2d")
def divisor(part: ReplayedPart) -> Answer:
    return part.with_op(count_include_pad=not part.op.count_include_pad)


@convention(
    "kernel flipped (convolution in place of cross-correlation)", *CONVOLUTIONS, "conv_transpose2d"
)
def flipped(part: ReplayedPart) -> Answer:
    axes = tuple(range(part.parameter("weight").ndim - 2))
    return part.with_parameters(weight=lambda w: np.flip(w, axes))


@convention("kernel's height and width swapped", "conv2d", "conv_transpose2d")
def kernel_transposed(part: ReplayedPart) -> Answer:
    square = part.op.kernel[0] == part.op.kernel[1]
    return part.with_parameters(weight=lambda w: w.swapaxes(0, 1)) if square else None


@convention("kernel's channels and filters swapped", "conv2d", "conv_transpose2d")
def channels_swapped(part: ReplayedPart) -> Answer:
    shape = part.parameter("weight").shape
    return part.with_parameters(weight=lambda w: w.swapaxes(2, 3)) if shape[2] == shape[3] else None


@convention("dilation left out", *CONVOLUTIONS)
def undilated(part: ReplayedPart) -> Answer:
    return part.with_op(dilation=1 if part.op.kind == "conv1d" else (1, 1))


@convention("dilation on the first axis alone", "conv2d")
def dilated_in_rows(part: ReplayedPart) -> Answer:
    return part.with_op(dilation=(part.op.dilation[0], 1))


@convention("dilation on the last axis alone", "conv2d")
def dilated_in_columns(part: ReplayedPart) -> Answer:
    return part.with_op(dilation=(1, part.op.dilation[1]))


@convention("dilation of height and width swapped", "conv2d")
def dilation_swapped(part: ReplayedPart) -> Answer:
    return part.with_op(dilation=part.op.dilation[::-1])


@convention("filters of a group numbered across groups", *CONVOLUTIONS)
def groups_interleaved(part: ReplayedPart) -> Answer:
    groups = part.op.groups
    return part.with_parameters(weight=lambda w: _interleaved(w, groups)) if groups > 1 else None


def _interleaved(w: np.ndarray, groups: int) -> np.ndarray:
    """Filters f = g n + i of G groups of n taken from i G + g."""
    return w.reshape(*w.shape[:-1], -1, groups).swapaxes(-1, -2).reshape(w.shape)


@convention("bias left out", *CONVOLUTIONS, "conv_transpose2d")
def no_bias(part: ReplayedPart) -> Answer:
    return part.with_parameters(bias=np.zeros_like) if part.op.bias else None


def _of_several_groups(part: ReplayedPart, change: Change) -> Answer:
    """Another order of the biases, which groups share."""
    if part.op.groups == 1 or not part.op.bias:
        return None
    return part.with_parameters(bias=change)


@convention("bias rolled over groups (that of the group before)", *CONVOLUTIONS)
def bias_of_the_group_before(part: ReplayedPart) -> Answer:
    return _of_several_groups(part, lambda b: np.roll(b, part.op.filters // part.op.groups))


@convention("bias rolled over groups (that of the next group)", *CONVOLUTIONS)
def bias_of_the_next_group(part: ReplayedPart) -> Answer:
    return _of_several_groups(part, lambda b: np.roll(b, -(part.op.filters // part.op.groups)))


@convention("biases of a group numbered across groups", *CONVOLUTIONS)
def bias_interleaved(part: ReplayedPart) -> Answer:
    return _of_several_groups(part, lambda b: _interleaved(b, part.op.groups))


@convention("places cut off at the other side", "conv_transpose2d")
def cut_swapped(part: ReplayedPart) -> Answer:
    return part.with_op(padding=tuple((hi, lo) for lo, hi in part.op.pads))


@convention("extra row before the image in place of after it", "conv_transpose2d")
def extra_before(part: ReplayedPart) -> Answer:
    extras = list(zip(part.op.pads, part.op.output_padding, strict=True))
    if any(lo < extra for (lo, _), extra in extras):
        return None
    pads = tuple((lo - extra, hi + extra) for (lo, hi), extra in extras)
    return part.with_op(padding=pads)


@convention("a sum over the window in place of its mean", "avg_pool2d", "global_avg_pool")
def summed(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    count = prod(x.shape[1:3]) if part.op.kind == "global_avg_pool" else prod(part.op.window)
    return part.value(lambda: part.output * count)


@convention("gradient of ties shared among equal elements", "global_max_pool")
def ties_shared(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    ties = x == x.max(axis=(1, 2), keepdims=True)
    shares = ties / ties.sum(axis=(1, 2), keepdims=True)
    return part.input_gradient(0, lambda g: shares * g[:, None, None, :])


@convention("ties send the gradient to every equal element", "global_max_pool")
def ties_repeated(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    ties = x == x.max(axis=(1, 2), keepdims=True)
    return part.input_gradient(0, lambda g: ties * g[:, None, None, :])
