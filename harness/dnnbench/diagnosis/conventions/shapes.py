"""Conventions of ops that move elements."""

from collections.abc import Sequence

import numpy as np

from .convention import Answer, convention
from .part import ReplayedPart


@convention("flattened in the order C, H, W", "flatten")
def channels_first(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    return part.value(lambda: np.moveaxis(x, -1, 1).reshape(len(x), -1)) if x.ndim > 2 else None


@convention("flattened in the order W, H, C", "flatten")
def columns_first(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    return part.value(lambda: x.swapaxes(1, 2).reshape(len(x), -1)) if x.ndim == 4 else None


@convention("read in column-major order", "reshape")
def column_major(part: ReplayedPart) -> Answer:
    x, shape = part.inputs[0], part.op.shape
    return part.value(lambda: np.stack([row.reshape(shape, order="F") for row in x]))


@convention("the inverse permutation of axes", "transpose")
def inverse(part: ReplayedPart) -> Answer:
    return part.with_op(axes=tuple(int(i) for i in np.argsort(part.op.axes)))


@convention("a reshape in place of a permutation of axes", "transpose")
def reshaped(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    shape = part.model.types[part.node.name].shape
    return part.value(lambda: x.reshape(len(x), *shape))


@convention("joined in the other order", "concat")
def reversed_order(part: ReplayedPart) -> Answer:
    return part.with_order(range(len(part.inputs))[::-1])


@convention("slice that starts one place late", "slice")
def late(part: ReplayedPart) -> Answer:
    return part.value(lambda: _moved(part, 1))


@convention("slice that starts one place early", "slice")
def early(part: ReplayedPart) -> Answer:
    return part.value(lambda: _moved(part, -1))


def _moved(part: ReplayedPart, by: int) -> np.ndarray:
    x = part.inputs[0]
    axis = part.op.axis % (x.ndim - 1) + 1
    start, stop = part.op.start, part.op.stop or x.shape[axis]
    return x.take(np.arange(start + by, stop + by), axis=axis, mode="wrap")


@convention("a sum in place of the mean", "mean")
def summed(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    count = np.prod([x.shape[axis % (x.ndim - 1) + 1] for axis in part.op.axes])
    return part.value(lambda: part.output * count)


@convention("windows of equal size", "adaptive_avg_pool2d")
def equal_windows(part: ReplayedPart) -> Answer:
    x, size = part.inputs[0], part.op.size
    window = tuple(n // m for n, m in zip(x.shape[1:3], size, strict=True))
    if min(window) < 1:
        return None
    return part.with_op("avg_pool2d", window=window) or _cut(part, x, window)


def _cut(part: ReplayedPart, x: np.ndarray, window: Sequence[int]) -> Answer:
    rows, columns = (n * w for n, w in zip(part.op.size, window, strict=True))

    def formula() -> np.ndarray:
        height, width = part.op.size
        kept = x[:, :rows, :columns]
        windows = kept.reshape(len(x), height, window[0], width, window[1], -1)
        mean: np.ndarray = windows.mean(axis=(2, 4))
        return mean

    return part.value(formula)
