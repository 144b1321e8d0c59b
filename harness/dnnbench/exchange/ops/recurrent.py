"""Recurrent layers: time first, gates as rows, one direction."""

import numpy as np

from ...spec.ops.recurrent import Gru, Lstm
from ..tensor import Tensor, Weight

TIME_FIRST = (1, 0, 2)
LSTM_GATES = (0, 3, 1, 2)
"""ONNX's i, o, f, c among the spec's i, f, g, o."""
GRU_GATES = (0, 1, 2)
"""z, r, h in both."""


def lstm(
    op: Lstm, x: Tensor, *states: Tensor, weight: Weight, recurrent: Weight, bias: Weight
) -> Tensor:
    offsets = np.concatenate([_gates(bias, LSTM_GATES), np.zeros_like(bias.array)])
    arrays = [
        weight.formed("gates", _gates(weight, LSTM_GATES)[None]),
        recurrent.formed("gates", _gates(recurrent, LSTM_GATES)[None]),
        bias.formed("gates", offsets[None]),
    ]
    return _recurrent("LSTM", op, x, states, arrays)


def gru(
    op: Gru,
    x: Tensor,
    *states: Tensor,
    weight: Weight,
    recurrent: Weight,
    bias: Weight,
    hidden_bias: Weight,
) -> Tensor:
    """The spec's b_h is the last third of ONNX's bias of the state's product."""
    unused = np.zeros(2 * op.units, bias.array.dtype)
    offsets = np.concatenate([bias.array, unused, hidden_bias.array])
    arrays = [
        weight.formed("gates", _gates(weight, GRU_GATES)[None]),
        recurrent.formed("gates", _gates(recurrent, GRU_GATES)[None]),
        bias.formed(("gates", hidden_bias.name), offsets[None]),
    ]
    return _recurrent("GRU", op, x, states, arrays, linear_before_reset=1)


def _gates(weight: Weight, order: tuple[int, ...]) -> np.ndarray:
    """The gates side by side along the last axis, as rows in another order."""
    parts = np.split(weight.array, len(order), axis=-1)
    return np.concatenate([parts[gate].T for gate in order])


def _recurrent(
    kind: str,
    op: Lstm | Gru,
    x: Tensor,
    states: tuple[Tensor, ...],
    arrays: list[str],
    **attributes: int,
) -> Tensor:
    x, graph = x.laid(TIME_FIRST), x.graph
    begun = [graph.run("Unsqueeze", state.canonical.name, graph.constant([0])) for state in states]
    inputs = [x.name, *arrays, *(["", *begun] if begun else [])]
    every, last = graph.run_for(2, kind, *inputs, hidden_size=op.units, **attributes)
    type = op.output([x.type])
    if op.sequences:  # (T, 1, N, H) -> (T, N, H)
        return x.result(graph.run("Squeeze", every, graph.constant([1])), type)
    return Tensor(graph, graph.run("Squeeze", last, graph.constant([0])), type, (0, 1))
