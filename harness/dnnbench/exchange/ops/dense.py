"""Affine maps."""

from dataclasses import replace

from ...spec.ops.dense import Dense
from ...spec.tensor import TensorType
from ..tensor import Tensor, Weight


def dense(op: Dense, x: Tensor, weight: Weight, bias: Weight | None = None) -> Tensor:
    """For vectors, and with a table's transpose, a product of two matrices; else one of stacks."""
    x = x.rows
    type = op.output([x.type])
    offset = [bias.plain] if bias else []
    if x.rank == 2:
        product = x.graph.run("Gemm", x.name, weight.plain, *offset, transB=int(op.transposed))
        return x.result(product, type)
    if op.transposed:
        return _of_each_row(op, x, weight, bias)
    product = x.graph.run("MatMul", x.name, weight.plain)
    return x.result(x.graph.run("Add", product, *offset) if bias else product, type)


def _of_each_row(op: Dense, x: Tensor, weight: Weight, bias: Weight | None) -> Tensor:
    """(N, T, n) as (N T, n), so that a table that is shared stays as it is."""
    x = x.canonical
    length, features = x.type.shape
    rows = x.graph.run("Reshape", x.name, x.graph.constant([-1, features]))
    flat = replace(x, name=rows, type=TensorType((features,)), axes=(0, 1))
    product = dense(op, flat, weight, bias).name
    name = x.graph.run("Reshape", product, x.graph.constant([-1, length, op.units]))
    return x.result(name, op.output([x.type]))
