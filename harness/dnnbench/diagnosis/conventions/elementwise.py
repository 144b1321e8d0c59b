"""Conventions of functions of single elements, of random thinning, and of sums and products."""

import numpy as np

from .scene import convention

THINNING = ("dropout", "stochastic_depth")


@convention("the other approximation (tanh for erf, or erf for tanh)", "gelu")
def other_gelu(scene):
    return scene.with_op(approximation="tanh" if scene.op.approximation == "erf" else "erf")


@convention("x sigmoid(1.702 x)", "gelu")
def sigmoid_gelu(scene):
    x = scene.inputs[0]
    return scene.value(lambda: x / (1 + np.exp(-1.702 * x)))


for _slope in (0.0, 0.01, 0.2, 0.3):

    @convention(f"slope {_slope:g}", "leaky_relu")
    def other_slope(scene, slope=_slope):
        return scene.with_op(slope=slope)


@convention("alpha 1", "elu")
def alpha_one(scene):
    return scene.with_op(alpha=1.0)


@convention("no upper bound", "relu6")
def unbounded(scene):
    return scene.with_op("relu")


@convention("x sigmoid(x)", "hardswish")
def silu_instead(scene):
    return scene.with_op("silu")


for _derivative in (0.5, 1.0):

    @convention(f"derivative {_derivative:g} at 0", "relu", "relu6")
    def derivative_at_zero(scene, derivative=_derivative):
        x, top = scene.inputs[0], 6.0 if scene.op.kind == "relu6" else np.inf
        return scene.input_gradient(0, lambda g: g * np.where(x == 0, derivative, (x > 0) & (x < top)))


@convention("derivative 1 at 0", "leaky_relu")
def leaky_derivative_at_zero(scene):
    x = scene.inputs[0]
    return scene.input_gradient(0, lambda g: g * np.where(x >= 0, 1.0, scene.op.slope))


@convention("over another axis than the last", "softmax")
def other_axis(scene):
    x = scene.inputs[0]
    if x.ndim < 3:
        return None
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return scene.value(lambda: e / e.sum(axis=1, keepdims=True))


@convention("kept elements not divided by 1 - rate", *THINNING)
def not_rescaled(scene):
    return scene.truth[f"activations/{scene.node.name}"] * (1 - scene.op.rate) if scene.asks_for_value() else None


@convention("kept elements divided by the rate", *THINNING)
def divided_by_rate(scene):
    times = (1 - scene.op.rate) / (scene.op.rate or 1)
    return scene.truth[f"activations/{scene.node.name}"] * times if scene.asks_for_value() else None


@convention("mask's polarity (1 drops)", *THINNING)
def inverted_mask(scene):
    return scene.with_masks(lambda m: 1 - m)


@convention("left out in training", *THINNING)
def not_applied(scene):
    return scene.inputs[0] if scene.asks_for_value() else None


@convention("applied in inference", *THINNING)
def applied_in_inference(scene):
    wanted = scene.key == f"infer/{scene.node.name}"
    return scene.truth[f"activations/{scene.node.name}"] if wanted else None


@convention("scaled in inference by 1 - rate", *THINNING)
def scaled_in_inference(scene):
    return scene.inputs[0] * (1 - scene.op.rate) if scene.key == f"infer/{scene.node.name}" else None


@convention("the first input alone", "add", "mul")
def first_alone(scene):
    return scene.value(lambda: scene.inputs[0])


@convention("the last input left out", "add", "mul")
def last_left_out(scene):
    if len(scene.inputs) < 3:
        return None
    combine = np.add if scene.op.kind == "add" else np.multiply
    return scene.value(lambda: combine.reduce(np.broadcast_arrays(*scene.inputs[:-1])))
