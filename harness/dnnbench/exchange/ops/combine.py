"""Ops of several tensors."""

from functools import reduce

from ...spec.ops.combine import Add, Concat, Matmul, Mul
from ...spec.tensor import TensorType
from ..tensor import Tensor, Weight


def matmul(op: Matmul, a: Tensor, b: Tensor) -> Tensor:
    a, b = a.canonical, b.canonical
    right = b.name
    if op.transpose_b:
        last = b.rank - 1
        right = a.graph.reordered(right, (*range(last - 1), last, last - 1))
    return a.result(a.graph.run("MatMul", a.name, right), op.output([a.type, b.type]))


def add(op: Add, first: Tensor, *others: Tensor | Weight) -> Tensor:
    return _together("Add", first, *others)


def mul(op: Mul, first: Tensor, *others: Tensor | Weight) -> Tensor:
    return _together("Mul", first, *others)


def _together(kind: str, first: Tensor, *others: Tensor | Weight) -> Tensor:
    """All in the order of the first one's axes, as its shape is the result's."""
    names = [x.beside(first) if isinstance(x, Weight) else x.laid(first.axes).name for x in others]
    return reduce(lambda x, name: x.by(kind, name), names, first)


def concat(op: Concat, *inputs: Tensor | Weight) -> Tensor:
    """In the order of the first tensor's axes; a learned constant is repeated for every example."""
    first = next(x for x in inputs if isinstance(x, Tensor))
    names = [
        _repeated(x, first) if isinstance(x, Weight) else x.laid(first.axes).name for x in inputs
    ]
    types = [
        TensorType(x.array.shape, batched=False) if isinstance(x, Weight) else x.type
        for x in inputs
    ]
    joined = first.graph.run("Concat", *names, axis=first.place(op.axis))
    return first.result(joined, op.output(types))


def _repeated(constant: Weight, x: Tensor) -> str:
    """Once for every example of x, whose number is known when the network runs."""
    graph, batch = x.graph, x.axes.index(0)
    sizes = [constant.array.shape[axis - 1] for axis in x.axes if axis]
    number = graph.run("Shape", x.name, start=batch, end=batch + 1)
    before, after = (
        [graph.constant(part)] if part else [] for part in (sizes[:batch], sizes[batch:])
    )
    shape = graph.run("Concat", *before, number, *after, axis=0)
    return graph.run("Expand", constant.beside(x), shape)
