"""Ops that move elements without arithmetic, and means over axes."""

from dataclasses import replace

from ...spec.ops.shape import Flatten, Mean, Reshape, Slice, Transpose
from ...spec.tensor import TensorType
from ..tensor import Tensor


def flatten(op: Flatten, x: Tensor) -> Tensor:
    return _reshaped(x, op.output([x.type]))


def reshape(op: Reshape, x: Tensor) -> Tensor:
    return _reshaped(x, op.output([x.type]))


def _reshaped(x: Tensor, type: TensorType) -> Tensor:
    if x.type == type:
        return x
    sizes = x.graph.constant([0, *type.shape])
    name = x.graph.run("Reshape", x.canonical.name, sizes)
    return Tensor(x.graph, name, type, tuple(range(len(type.shape) + 1)))


def transpose(op: Transpose, x: Tensor) -> Tensor:
    """The same tensor in an order of its own: who reads it transposes, if it must."""
    order = (0, *(axis + 1 for axis in op.axes))
    axes = tuple(order.index(axis) for axis in x.axes)
    return replace(x, type=op.output([x.type]), axes=axes)


def slice(op: Slice, x: Tensor) -> Tensor:
    type = op.output([x.type])
    place = x.place(op.axis)
    stop = op.start + type.shape[op.axis]
    edges = [x.graph.constant([edge]) for edge in (op.start, stop, place)]
    return x.result(x.graph.run("Slice", x.name, *edges), type)


def mean(op: Mean, x: Tensor) -> Tensor:
    gone = [x.place(axis) for axis in op.axes]
    name = x.graph.run("ReduceMean", x.name, x.graph.constant(gone), keepdims=0)
    left = [axis for place, axis in enumerate(x.axes) if place not in gone]
    axes = tuple(sorted(left).index(axis) for axis in left)
    return Tensor(x.graph, name, op.output([x.type]), axes)
