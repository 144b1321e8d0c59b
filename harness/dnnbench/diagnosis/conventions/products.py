"""Conventions of matrix products and tables."""

import numpy as np

from .scene import convention


@convention("bias left out", "dense", "lstm", "gru")
def no_bias(scene):
    return scene.with_parameters(bias=np.zeros_like) if "bias" in scene.roles() else None


@convention("weight transposed", "dense")
def transposed(scene):
    shape = scene.parameter("weight").shape
    return scene.with_parameters(weight=np.transpose) if shape[0] == shape[1] else None


@convention("bias counted twice", "dense", "conv2d")
def bias_twice(scene):
    return scene.with_parameters(bias=lambda b: 2 * b) if "bias" in scene.roles() else None


@convention("second factor transposed, or not, against the spec", "matmul")
def other_transposition(scene):
    return scene.with_op(transpose_b=not scene.op.transpose_b)


@convention("factors in the other order", "matmul")
def swapped(scene):
    return scene.with_order((1, 0))


@convention("ids off by one", "embedding")
def off_by_one(scene):
    last = scene.op.vocabulary - 1
    return scene.with_inputs({0: lambda ids: np.minimum(ids + 1, last)})


@convention("ids counted from one", "embedding")
def from_one(scene):
    return scene.with_inputs({0: lambda ids: np.maximum(ids - 1, 0)})


@convention("rows scaled by the root of their width", "embedding")
def scaled(scene):
    return scene.with_parameters(weight=lambda w: w * scene.op.features**0.5)


@convention("gradient of a repeated id overwritten in place of added up", "embedding")
def overwritten(scene):
    def formula(g):
        found = np.zeros_like(scene.parameter("weight"))
        found[scene.inputs[0].reshape(-1)] = g.reshape(-1, g.shape[-1])
        return found

    return scene.parameter_gradient("weight", formula)


@convention("offset left out", "position_embedding")
def no_offset(scene):
    return scene.with_op(offset=0)


@convention("positions off by one", "position_embedding")
def next_position(scene):
    return scene.with_parameters(weight=lambda w: np.roll(w, -1, axis=0))


@convention("positions counted backwards", "position_embedding")
def backwards(scene):
    length, offset = scene.inputs[0].shape[1], scene.op.offset
    rows = np.arange(scene.op.positions)
    rows[offset : offset + length] = rows[offset : offset + length][::-1]
    return scene.with_parameters(weight=lambda w: w[rows])
