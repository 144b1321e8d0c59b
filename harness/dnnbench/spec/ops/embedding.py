"""Tables that are looked up."""

from typing import ClassVar, Literal

from pydantic import PositiveInt

from ..tensor import Initializer, Parameter, TensorType
from .base import Op, Types, floats

NARROW = Initializer(kind="uniform", bound=0.02 * 3**0.5)
"""Variance 0.02^2, as BERT and GPT-2 start their tables."""


class Embedding(Op):
    """Row of a table for each id: y[n, ...] = W[id[n, ...]].

    The gradient adds up rows that were read more than once.
    id: (N, ...) int32, from 0 to vocabulary - 1   W: (vocabulary, features)   y: (N, ..., features)
    """

    kind: Literal["embedding"] = "embedding"
    vocabulary: PositiveInt
    features: PositiveInt
    formula: ClassVar[str] = "y = W[id]"

    def output(self, inputs: Types) -> TensorType:
        if inputs[0].kind != "int32":
            raise ValueError(f"wants ids (int32), got {inputs[0]}; give the input dtype = 'int32'")
        return TensorType((*inputs[0].shape, self.features))

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        return {"weight": Parameter((self.vocabulary, self.features), NARROW)}


class PositionEmbedding(Op):
    """A learned row added at each position: y[n, t] = x[n, t] + W[offset + t].

    x, y: (N, T, D)   W: (positions, D), offset + T <= positions
    """

    kind: Literal["position_embedding"] = "position_embedding"
    positions: PositiveInt
    offset: int = 0
    formula: ClassVar[str] = "y = x + W, a row a position"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        shape = inputs[0].shape
        if len(shape) != 2:
            raise ValueError(f"wants a sequence (N, T, D), got {inputs[0]}")
        if not 0 <= self.offset <= self.positions - shape[0]:
            raise ValueError(
                f"{shape[0]} places from offset={self.offset} on do not fit into "
                f"positions={self.positions}; shorten the sequence or widen the table"
            )
        return inputs[0]

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        return {"weight": Parameter((self.positions, inputs[0].shape[1]), NARROW)}

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].size
