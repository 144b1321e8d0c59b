"""Tables that are looked up."""

from ...spec.ops.embedding import Embedding, PositionEmbedding
from ..tensor import Tensor, Weight


def embedding(op: Embedding, ids: Tensor, weight: Weight) -> Tensor:
    name = ids.graph.run("Gather", weight.plain, ids.name)
    type = op.output([ids.type])
    return Tensor(ids.graph, name, type, tuple(range(len(type.shape) + 1)))


def position_embedding(op: PositionEmbedding, x: Tensor, weight: Weight) -> Tensor:
    return x.by("Add", weight.beside(x, slice(op.offset, op.offset + x.type.shape[0])))
