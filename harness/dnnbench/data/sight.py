"""Which queries of an attention a fed mask leaves without keys:
their softmax would be over nothing.
"""

from collections.abc import Mapping

import numpy as np

from ..errors import DataError
from ..spec.model import Model, Node
from ..spec.ops.attention import Attention


def check_sight(model: Model, inputs: Mapping[str, np.ndarray], where: str) -> None:
    """DataError if a mask, with the causal triangle where there is one,
    leaves a query without keys.

    inputs: (n, ...) by name   where: what the inputs are, for the message
    """
    for node in model.nodes:
        if isinstance(node.op, Attention) and len(node.inputs) == 4:
            mask_name = node.inputs[3]
            _check_node(
                model, node, node.op.causal, inputs[mask_name], f"{where}, input '{mask_name}'"
            )


def _check_node(model: Model, node: Node, causal: bool, mask: np.ndarray, where: str) -> None:
    queries, keys = (model.types[name].shape[0] for name in node.inputs[:2])
    without_keys = np.argwhere(_first_key(mask) > _last_key(causal, queries, keys))
    if not len(without_keys):
        return
    row, query = without_keys[0].tolist()
    place = f"row {row}" if mask.ndim == 2 else f"row {[row, query]}"
    limit = f" up to {keys - queries + query}" if causal else ""
    cause = "for nothing is True there"
    if causal:
        cause = "once mask and causal triangle are taken together"
    raise DataError(
        f"{where}: {place} leaves no key to query {query} of node '{node.name}' "
        f"(attention), {cause}; let query {query} attend to a key{limit}"
    )


def _first_key(mask: np.ndarray) -> np.ndarray:
    """Index of the first key that the mask shows, the number of keys where it shows none.

    mask: (n, S) or (n, T, S)   returns: (n, 1) or (n, T)
    """
    first: np.ndarray = np.where(mask.any(axis=-1), mask.argmax(axis=-1), mask.shape[-1])
    return first[:, None] if mask.ndim == 2 else first


def _last_key(causal: bool, queries: int, keys: int) -> np.ndarray:
    """Index of the last key that each query sees without a mask: S - T + i under a triangle.
    returns: (T,)
    """
    return np.arange(keys - queries, keys) if causal else np.full(queries, keys - 1)
