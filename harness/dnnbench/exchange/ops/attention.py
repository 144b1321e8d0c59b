"""Attention by heads."""

from math import sqrt

import numpy as np

from ...spec.ops.attention import Attention
from ..tensor import Tensor

BY_HEAD = (0, 2, 1, 3)
"""(N, heads, T, D / heads) of (N, T, heads, D / heads), and back."""
TRANSPOSED_BY_HEAD = (0, 2, 3, 1)


def attention(op: Attention, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """ONNX's own operator, which reads (N, T, D) and takes the heads apart itself.

    Its causal triangle begins at the upper left, the spec's ends at the lower right. They are one
    where there are as many queries as keys; else the spec's is given as a mask, unless it hides
    nothing, as from a single query.
    In float64 by steps, as the operator rounds its scale to float32.
    """
    q, k, v = q.canonical, k.canonical, v.canonical
    if q.graph.exact:
        return _by_steps(op, q, k, v, _in_sight(op, q, k, mask, aligned=False))
    length, keys = q.type.shape[0], k.type.shape[0]
    seen = _in_sight(op, q, k, mask, aligned=length == keys)
    return q.by(
        "Attention",
        *(k.name, v.name, *([seen] if seen else [])),
        q_num_heads=op.heads,
        kv_num_heads=op.heads,
        is_causal=int(op.causal and length == keys),
    )


def _in_sight(op: Attention, q: Tensor, k: Tensor, mask: Tensor | None, aligned: bool) -> str:
    """True where a query attends to a key, (N or 1, 1, T, S); '' where nothing needs to be hidden.

    aligned: whether the operator's own triangle hides what comes later
    """
    length, keys = q.type.shape[0], k.type.shape[0]
    seen = [_of_each_query(mask, length)] if mask else []
    if op.causal and length > 1 and not aligned:
        past = np.tri(length, keys, keys - length, dtype=bool)
        seen.append(q.graph.constant(past[None, None]))
    return q.graph.run("And", *seen) if len(seen) == 2 else "".join(seen)


def _of_each_query(mask: Tensor, length: int) -> str:
    """(N, 1, T, S) of (N, S) or (N, T, S): ONNX Runtime wants the queries' axis whole."""
    graph, keys = mask.graph, mask.type.shape[-1]

    def stretched() -> str:
        sizes = [0, 1, 1 if mask.rank == 2 else length, keys]
        shaped = graph.run("Reshape", mask.name, graph.constant(sizes))
        return graph.run("Expand", shaped, graph.constant([1, 1, length, 1]))

    return graph.once(("queries", mask.name, length), stretched)


def _by_steps(op: Attention, q: Tensor, k: Tensor, v: Tensor, seen: str) -> Tensor:
    graph, (length, width) = q.graph, q.type.shape
    queries, keys, values = (
        _heads(op, x, order) for x, order in ((q, BY_HEAD), (k, TRANSPOSED_BY_HEAD), (v, BY_HEAD))
    )
    scale = graph.constant(1 / sqrt(width // op.heads))
    scores = graph.run("Mul", graph.run("MatMul", queries, keys), scale)
    if seen:
        scores = graph.run("Where", seen, scores, graph.constant(-np.inf))
    shares = graph.run("Softmax", scores, axis=-1)
    mixed = graph.run("Transpose", graph.run("MatMul", shares, values), perm=BY_HEAD)
    return q.result(graph.run("Reshape", mixed, graph.constant([0, length, width])))


def _heads(op: Attention, x: Tensor, order: tuple[int, ...]) -> str:
    length, width = x.type.shape
    sizes = x.graph.constant([0, length, op.heads, width // op.heads])
    return x.graph.run("Transpose", x.graph.run("Reshape", x.name, sizes), perm=order)
