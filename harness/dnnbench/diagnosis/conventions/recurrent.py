"""Conventions of recurrent layers: the order of gates, and what is done first."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from .convention import Answer, Variant, convention
from .part import ReplayedPart


def _reordered(part: ReplayedPart, order: Sequence[int]) -> Variant:
    """Gates read from other places of the wide parameters."""

    def change(p: np.ndarray) -> np.ndarray:
        parts = np.split(p, len(order), axis=-1)
        return np.concatenate([parts[i] for i in order], axis=-1)

    return part.with_parameters(weight=change, recurrent=change, bias=change)


def _register(kind: str, gates: str) -> None:
    for order in permutations(range(len(gates))):
        other = "".join(gates[order.index(i)] for i in range(len(gates)))
        if other == gates:
            continue

        @convention(f"gates in the order {', '.join(other)} in place of {', '.join(gates)}", kind)
        def other_order(part: ReplayedPart, order: Sequence[int] = order) -> Answer:
            return _reordered(part, order)


_register("lstm", "ifgo")
_register("gru", "zrn")


def _sigmoid(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


def _gru(part: ReplayedPart, reset_first: bool = False, keep_new: bool = False) -> np.ndarray:
    """Hidden states of every step; r applied to h before the product, or z on the new state."""
    x, units = part.inputs[0], part.op.units
    w, u, b, b_h = (part.parameter(role) for role in ("weight", "recurrent", "bias", "hidden_bias"))
    h = part.inputs[1] if len(part.inputs) > 1 else np.zeros((len(x), units))
    states = []
    for t in range(x.shape[1]):
        a_z, a_r, a_n = np.split(x[:, t] @ w + b, 3, axis=-1)
        u_z, u_r, u_n = np.split(u, 3, axis=-1)
        z, r = _sigmoid(a_z + h @ u_z), _sigmoid(a_r + h @ u_r)
        n = np.tanh(a_n + ((r * h) @ u_n + b_h if reset_first else r * (h @ u_n + b_h)))
        h = z * n + (1 - z) * h if keep_new else (1 - z) * n + z * h
        states.append(h)
    return np.stack(states, axis=1) if part.op.sequences else h


@convention("reset before the product", "gru")
def reset_before(part: ReplayedPart) -> Answer:
    return part.value(lambda: _gru(part, reset_first=True))


@convention("z weighs the new state in place of the old", "gru")
def z_inverted(part: ReplayedPart) -> Answer:
    return part.value(lambda: _gru(part, keep_new=True))


@convention("hidden bias left out", "gru")
def no_hidden_bias(part: ReplayedPart) -> Answer:
    return part.with_parameters(hidden_bias=np.zeros_like)


@convention("forget gate's bias raised by one", "lstm")
def forget_bias(part: ReplayedPart) -> Answer:
    units = part.op.units
    return part.with_parameters(bias=lambda b: b + np.repeat([0.0, 1.0, 0.0, 0.0], units))


@convention("first state left out", "lstm", "gru")
def no_first_state(part: ReplayedPart) -> Answer:
    changes = {i: np.zeros_like for i in range(1, len(part.inputs))}
    return part.with_inputs(changes) if changes else None


@convention("sequence read backwards", "lstm", "gru")
def reverse(part: ReplayedPart) -> Answer:
    after = (lambda y: y[:, ::-1]) if part.op.sequences else (lambda y: y)
    return part.with_inputs({0: lambda x: x[:, ::-1]}, after) if part.output_is_wrong else None
