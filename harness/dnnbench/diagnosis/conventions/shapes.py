"""Conventions of ops that move elements."""

import numpy as np

from .scene import convention


@convention("flattened in the order C, H, W", "flatten")
def channels_first(scene):
    x = scene.inputs[0]
    return scene.value(lambda: np.moveaxis(x, -1, 1).reshape(len(x), -1)) if x.ndim > 2 else None


@convention("flattened in the order W, H, C", "flatten")
def columns_first(scene):
    x = scene.inputs[0]
    return scene.value(lambda: x.swapaxes(1, 2).reshape(len(x), -1)) if x.ndim == 4 else None


@convention("read in column-major order", "reshape")
def column_major(scene):
    x, shape = scene.inputs[0], scene.op.shape
    return scene.value(lambda: np.stack([row.reshape(shape, order="F") for row in x]))


@convention("the inverse permutation of axes", "transpose")
def inverse(scene):
    return scene.with_op(axes=tuple(int(i) for i in np.argsort(scene.op.axes)))


@convention("a reshape in place of a permutation of axes", "transpose")
def reshaped(scene):
    x = scene.inputs[0]
    shape = scene.model.types[scene.node.name].shape
    return scene.value(lambda: x.reshape(len(x), *shape))


@convention("joined in the other order", "concat")
def reversed_order(scene):
    return scene.with_order(range(len(scene.inputs))[::-1])


@convention("slice that starts one place late", "slice")
def late(scene):
    return scene.value(lambda: _moved(scene, 1))


@convention("slice that starts one place early", "slice")
def early(scene):
    return scene.value(lambda: _moved(scene, -1))


def _moved(scene, by):
    x = scene.inputs[0]
    axis = scene.op.axis % (x.ndim - 1) + 1
    start, stop = scene.op.start, scene.op.stop or x.shape[axis]
    return x.take(np.arange(start + by, stop + by), axis=axis, mode="wrap")


@convention("a sum in place of the mean", "mean")
def summed(scene):
    x = scene.inputs[0]
    count = np.prod([x.shape[axis % (x.ndim - 1) + 1] for axis in scene.op.axes])
    return scene.value(lambda: scene.truth[f"activations/{scene.node.name}"] * count)


@convention("windows of equal size", "adaptive_avg_pool2d")
def equal_windows(scene):
    x, size = scene.inputs[0], scene.op.size
    window = tuple(n // m for n, m in zip(x.shape[1:3], size, strict=True))
    if min(window) < 1:
        return None
    return scene.with_op("avg_pool2d", window=window) or _cut(scene, x, window)


def _cut(scene, x, window):
    rows, columns = (n * w for n, w in zip(scene.op.size, window, strict=True))

    def formula():
        kept = x[:, :rows, :columns].reshape(len(x), scene.op.size[0], window[0], scene.op.size[1], window[1], -1)
        return kept.mean(axis=(2, 4))

    return scene.value(formula)
