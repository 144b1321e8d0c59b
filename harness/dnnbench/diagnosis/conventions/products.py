"""Conventions of matrix products and tables."""

import numpy as np

from ...protocol.rounding import rounded
from .convention import Answer, convention
from .part import ReplayedPart

OF_ONE_PRODUCT = ("dense", "conv1d", "conv2d", "conv_transpose2d", "matmul")
"""Ops whose value is one product, and a bias that is added to it."""
FACTORS = {"bfloat16": 8, "tf32": 11}
"""Bits of significand of factors that a product reads, by type."""

for _type, _bits in FACTORS.items():

    @convention(f"products of {_bits} bits ({_type})", *OF_ONE_PRODUCT, coarse=True)
    def coarse_factors(part: ReplayedPart, type: str = _type) -> Answer:
        return part.with_factors(lambda x: rounded(x, type))


@convention("bias left out", "dense", "lstm", "gru")
def no_bias(part: ReplayedPart) -> Answer:
    return part.with_parameters(bias=np.zeros_like) if "bias" in part.roles() else None


@convention("weight transposed", "dense")
def transposed(part: ReplayedPart) -> Answer:
    shape = part.parameter("weight").shape
    return part.with_parameters(weight=np.transpose) if shape[0] == shape[1] else None


@convention("bias counted twice", "dense", "conv2d")
def bias_twice(part: ReplayedPart) -> Answer:
    return part.with_parameters(bias=lambda b: 2 * b) if "bias" in part.roles() else None


@convention("second factor transposed, or not, against the spec", "matmul")
def other_transposition(part: ReplayedPart) -> Answer:
    return part.with_op(transpose_b=not part.op.transpose_b)


@convention("factors in the other order", "matmul")
def swapped(part: ReplayedPart) -> Answer:
    return part.with_order((1, 0))


@convention("ids off by one", "embedding")
def off_by_one(part: ReplayedPart) -> Answer:
    last = part.op.vocabulary - 1
    return part.with_inputs({0: lambda ids: np.minimum(ids + 1, last)})


@convention("ids counted from one", "embedding")
def from_one(part: ReplayedPart) -> Answer:
    return part.with_inputs({0: lambda ids: np.maximum(ids - 1, 0)})


@convention("rows scaled by the root of their width", "embedding")
def scaled(part: ReplayedPart) -> Answer:
    return part.with_parameters(weight=lambda w: w * part.op.features**0.5)


@convention("gradient of a repeated id overwritten in place of added up", "embedding")
def overwritten(part: ReplayedPart) -> Answer:
    def formula(g: np.ndarray) -> np.ndarray:
        gradient = np.zeros_like(part.parameter("weight"))
        gradient[part.inputs[0].reshape(-1)] = g.reshape(-1, g.shape[-1])
        return gradient

    return part.parameter_gradient("weight", formula)


@convention("first id taken for padding (its row gets no gradient)", "embedding")
def first_id_pads(part: ReplayedPart) -> Answer:
    return _without_gradient_of(part, 0)


@convention("last id taken for padding (its row gets no gradient)", "embedding")
def last_id_pads(part: ReplayedPart) -> Answer:
    return _without_gradient_of(part, part.op.vocabulary - 1)


def _without_gradient_of(part: ReplayedPart, row: int) -> Answer:
    def formula(g: np.ndarray) -> np.ndarray:
        gradient = np.zeros_like(part.parameter("weight"))
        np.add.at(gradient, part.inputs[0].reshape(-1), g.reshape(-1, g.shape[-1]))
        gradient[row] = 0
        return gradient

    return part.parameter_gradient("weight", formula)


@convention("first id taken for padding (its row reads zeros)", "embedding")
def first_id_reads_zeros(part: ReplayedPart) -> Answer:
    rows = np.arange(part.op.vocabulary)[:, None]
    return part.with_parameters(weight=lambda w: np.where(rows == 0, 0.0, w))


@convention("offset left out", "position_embedding")
def no_offset(part: ReplayedPart) -> Answer:
    return part.with_op(offset=0)


@convention("positions off by one", "position_embedding")
def next_position(part: ReplayedPart) -> Answer:
    return part.with_parameters(weight=lambda w: np.roll(w, -1, axis=0))


@convention("positions counted backwards", "position_embedding")
def backwards(part: ReplayedPart) -> Answer:
    length, offset = part.inputs[0].shape[1], part.op.offset
    rows = np.arange(part.op.positions)
    rows[offset : offset + length] = rows[offset : offset + length][::-1]
    return part.with_parameters(weight=lambda w: w[rows])
