"""Recurrent layers over a sequence."""

from typing import ClassVar, Literal

from pydantic import PositiveInt

from ..tensor import ZEROS, Initializer, Parameter, TensorType
from .base import Arithmetic, Op, Types, floats


class _Recurrent(Op):
    """Gates side by side in one product.

    The state starts at zero, or at inputs of its own, (N, H) each.
    """

    units: PositiveInt
    sequences: bool = True
    """Give the state after every step, (N, T, H), or after the last alone, (N, H)."""
    arithmetic: ClassVar[Arithmetic] = "product"
    gates: ClassVar[int]
    elementwise_per_unit: ClassVar[int]

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        if len(inputs[0].shape) != 2:
            raise ValueError(f"wants a sequence (N, T, I), got {inputs[0]}")
        for state in inputs[1:]:
            floats([state])
            if state.shape != (self.units,):
                raise ValueError(f"wants a first state (N, {self.units}), got {state}")
        length = inputs[0].shape[0]
        return TensorType((length, self.units) if self.sequences else (self.units,))

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        start = Initializer(kind="uniform", bound=self.units**-0.5)
        wide = self.gates * self.units
        return {
            "weight": Parameter((inputs[0].shape[1], wide), start),
            "recurrent": Parameter((self.units, wide), start),
            "bias": Parameter((wide,), ZEROS),
        }

    def macs(self, inputs: Types) -> int:
        length, features = inputs[0].shape
        return length * (features + self.units) * self.gates * self.units

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].shape[0] * self.units * self.elementwise_per_unit


class Lstm(_Recurrent):
    """Long short-term memory; gates in the order i, f, g, o, one bias.

    [i f g o] = x_t W + h U + b;  c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c').
    x: (N, T, I)   h, c (optional inputs): (N, H)   W: (I, 4H)   U: (H, 4H)   b: (4H,)
    y: (N, T, H) or (N, H)
    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000 (forget gate).
    """

    kind: Literal["lstm"] = "lstm"
    formula: ClassVar[str] = "y = o tanh(c), c' = f c + i g"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    gates: ClassVar[int] = 4
    elementwise_per_unit: ClassVar[int] = 22

    def output(self, inputs: Types) -> TensorType:
        if len(inputs) == 2:
            raise ValueError(
                "takes a sequence, and both first states (h and c) or none; got one state"
            )
        return super().output(inputs)


class Gru(_Recurrent):
    """Gated recurrent unit; gates in the order z, r, n, reset after the product.

    [a_z a_r a_n] = x_t W + b;  [u_z u_r u_n] = h U;  z = sigmoid(a_z + u_z);
    r = sigmoid(a_r + u_r);  n = tanh(a_n + r (u_n + b_h));  h' = (1 - z) n + z h.
    x: (N, T, I)   h (optional input): (N, H)   W: (I, 3H)   U: (H, 3H)   b: (3H,)
    b_h (`hidden_bias`): (H,)   y: (N, T, H) or (N, H)
    Source: Cho et al. 2014, arXiv 1406.1078; reset after as in cuDNN.
    """

    kind: Literal["gru"] = "gru"
    formula: ClassVar[str] = "y = (1 - z) n + z h"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    gates: ClassVar[int] = 3
    elementwise_per_unit: ClassVar[int] = 18

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        return super().parameters(inputs) | {"hidden_bias": Parameter((self.units,), ZEROS)}
