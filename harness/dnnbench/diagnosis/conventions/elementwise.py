"""Conventions of functions of single elements, of random thinning, and of sums and products."""

import numpy as np

from .convention import Answer, convention
from .part import ReplayedPart

THINNING = ("dropout", "stochastic_depth")


@convention("the other approximation (tanh for erf, or erf for tanh)", "gelu")
def other_gelu(part: ReplayedPart) -> Answer:
    return part.with_op(approximation="tanh" if part.op.approximation == "erf" else "erf")


@convention("x sigmoid(1.702 x)", "gelu")
def sigmoid_gelu(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    return part.value(lambda: x / (1 + np.exp(-1.702 * x)))


for _slope in (0.0, 0.01, 0.2, 0.3):

    @convention(f"slope {_slope:g}", "leaky_relu")
    def other_slope(part: ReplayedPart, slope: float = _slope) -> Answer:
        return part.with_op(slope=slope)


@convention("alpha 1", "elu")
def alpha_one(part: ReplayedPart) -> Answer:
    return part.with_op(alpha=1.0)


@convention("no upper bound", "relu6")
def unbounded(part: ReplayedPart) -> Answer:
    return part.with_op("relu")


@convention("x sigmoid(x)", "hardswish")
def silu_instead(part: ReplayedPart) -> Answer:
    return part.with_op("silu")


for _derivative in (0.5, 1.0):

    @convention(f"derivative {_derivative:g} at 0", "relu", "relu6")
    def derivative_at_zero(part: ReplayedPart, derivative: float = _derivative) -> Answer:
        x, top = part.inputs[0], 6.0 if part.op.kind == "relu6" else np.inf
        slope = np.where(x == 0, derivative, (x > 0) & (x < top))
        return part.input_gradient(0, lambda g: g * slope)


@convention("derivative 1 at 0", "leaky_relu")
def leaky_derivative_at_zero(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    return part.input_gradient(0, lambda g: g * np.where(x >= 0, 1.0, part.op.slope))


@convention("over another axis than the last", "softmax")
def other_axis(part: ReplayedPart) -> Answer:
    x = part.inputs[0]
    if x.ndim < 3:
        return None
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return part.value(lambda: e / e.sum(axis=1, keepdims=True))


@convention("kept elements not divided by 1 - rate", *THINNING)
def not_rescaled(part: ReplayedPart) -> Answer:
    return part.output * (1 - part.op.rate) if part.output_is_wrong else None


@convention("kept elements divided by the rate", *THINNING)
def divided_by_rate(part: ReplayedPart) -> Answer:
    times = (1 - part.op.rate) / (part.op.rate or 1)
    return part.output * times if part.output_is_wrong else None


@convention("mask's polarity (1 drops)", *THINNING)
def inverted_mask(part: ReplayedPart) -> Answer:
    return part.with_masks(lambda m: 1 - m)


@convention("left out in training", *THINNING)
def not_applied(part: ReplayedPart) -> Answer:
    return part.inputs[0] if part.output_is_wrong else None


@convention("applied in inference", *THINNING)
def applied_in_inference(part: ReplayedPart) -> Answer:
    return part.output if part.inferred_is_wrong else None


@convention("scaled in inference by 1 - rate", *THINNING)
def scaled_in_inference(part: ReplayedPart) -> Answer:
    return part.inputs[0] * (1 - part.op.rate) if part.inferred_is_wrong else None


@convention("the first input alone", "add", "mul")
def first_alone(part: ReplayedPart) -> Answer:
    return part.value(lambda: part.inputs[0])


@convention("the last input left out", "add", "mul")
def last_left_out(part: ReplayedPart) -> Answer:
    if len(part.inputs) < 3:
        return None
    combine = np.add if part.op.kind == "add" else np.multiply
    return part.value(lambda: combine.reduce(np.broadcast_arrays(*part.inputs[:-1])))
