"""Pools: channels first."""

import numpy as np

from ...spec.ops.pool import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool2d,
    WindowPool,
)
from ..graph import Attribute
from ..tensor import Tensor
from .conv import begins_and_ends


def max_pool2d(op: MaxPool2d, x: Tensor) -> Tensor:
    return _pooled("MaxPool", op, x)


def avg_pool2d(op: AvgPool2d, x: Tensor) -> Tensor:
    return _pooled("AveragePool", op, x, count_include_pad=int(op.count_include_pad))


def _pooled(kind: str, op: WindowPool, x: Tensor, **attributes: Attribute) -> Tensor:
    x = x.channels_first
    pads = begins_and_ends(op.pads([x.type]))
    windows: dict[str, Attribute] = {
        "kernel_shape": op.window,
        "strides": op.steps,
        "pads": pads,
    }
    name = x.graph.run(kind, x.name, **windows, **attributes)
    return x.result(name, op.output([x.type]))


def global_avg_pool(op: GlobalAvgPool, x: Tensor) -> Tensor:
    return _over_the_image("ReduceMean", op, x)


def global_max_pool(op: GlobalMaxPool, x: Tensor) -> Tensor:
    return _over_the_image("ReduceMax", op, x)


def _over_the_image(kind: str, op: GlobalAvgPool | GlobalMaxPool, x: Tensor) -> Tensor:
    places = x.graph.constant([x.place(0), x.place(1)])
    name = x.graph.run(kind, x.name, places, keepdims=0)
    axes = (0, 1) if x.axes.index(0) < x.place(-1) else (1, 0)
    return Tensor(x.graph, name, op.output([x.type]), axes)


def adaptive_avg_pool2d(op: AdaptiveAvgPool2d, x: Tensor) -> Tensor:
    """A mean over a rectangle is one over columns, then over rows: products with matrices."""
    x, graph = x.channels_first, x.graph
    rows, columns = op.windows([x.type])
    height, width, _ = x.type.shape
    if op.size == (height, width):
        return x
    narrowed = graph.run("MatMul", x.name, graph.constant(_shares(columns, width).T))
    name = graph.run("MatMul", graph.constant(_shares(rows, height)), narrowed)
    return x.result(name, op.output([x.type]))


def _shares(windows: list[tuple[int, int]], places: int) -> np.ndarray:
    """(windows, places): 1 / size inside a window, 0 outside"""
    starts, stops = np.array(windows, float).T[..., None]
    place = np.arange(places)
    shares: np.ndarray = ((place >= starts) & (place < stops)) / (stops - starts)
    return shares
