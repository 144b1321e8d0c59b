"""Attention of projected queries, keys and values; the projections are dense nodes of their own."""

from typing import ClassVar, Literal

from pydantic import PositiveInt

from ..tensor import TensorType
from .base import Arithmetic, Op, Types, floats


class Attention(Op):
    """Multi-head scaled dot-product attention.

    Head h of H reads features [h D/H, (h + 1) D/H) of each:
    Y_h = softmax(Q_h K_h^T / sqrt(D / H)) V_h; y = [Y_1, ..., Y_H].
    q: (N, T, D)   k: (N, S, D)   v: (N, S, D)   mask: (N, S) or (N, T, S) bool, True = attend
    y: (N, T, D)
    causal: query i attends to keys up to S - T + i, which is the lower triangle for T = S,
    and for T queries after a cache of S - T keys all of the cache.
    Mask and triangle together leave every query a key: data that do not are refused.
    Source: Vaswani et al. 2017, arXiv 1706.03762.
    """

    kind: Literal["attention"] = "attention"
    heads: PositiveInt
    causal: bool = False
    arithmetic: ClassVar[Arithmetic] = "product"
    formula: ClassVar[str] = "y = softmax(q k^T / sqrt(d)) v"
    arity: ClassVar[tuple[int, int | None]] = (3, 4)

    def output(self, inputs: Types) -> TensorType:
        for x in inputs[:3]:
            floats([x])
            if len(x.shape) != 2:
                raise ValueError(f"wants sequences (N, T, D), got {x}; reshape before it")
        (length, width), keys, values = (x.shape for x in inputs[:3])
        if keys != values or keys[1] != width:
            raise ValueError(
                f"wants keys and values of one shape and the queries' width {width}, "
                f"got {keys} and {values}"
            )
        if width % self.heads:
            raise ValueError(
                f"heads={self.heads} do not divide the width {width}; choose one of its divisors"
            )
        if self.causal and length > keys[0]:
            raise ValueError(
                f"causal attention of {length} queries to {keys[0]} keys leaves the first ones "
                "nothing to see"
            )
        self._check_mask(inputs[3:], length, keys[0])
        return inputs[0]

    def _check_mask(self, masks: Types, length: int, keys: int) -> None:
        for mask in masks:
            if (
                mask.kind != "bool"
                or not mask.batched
                or mask.shape not in ((keys,), (length, keys))
            ):
                raise ValueError(
                    f"wants a mask (N, {keys}) bool or (N, {length}, {keys}) bool, got {mask}"
                )

    def macs(self, inputs: Types) -> int:
        (length, width), (keys, _) = inputs[0].shape, inputs[1].shape
        return 2 * length * keys * width

    def elementwise_flops(self, inputs: Types) -> int:
        return 5 * self.heads * inputs[0].shape[0] * inputs[1].shape[0]
