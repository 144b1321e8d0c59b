"""Conventions of normalisations."""

import numpy as np

from .convention import Answer, Change, convention
from .part import ReplayedPart

NORMS = ("batch_norm", "layer_norm", "group_norm", "rms_norm")
CENTRED = ("batch_norm", "layer_norm", "group_norm")
EPSILONS = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12)


def _grouped(part: ReplayedPart, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """(x with its groups apart, axes that statistics are taken over)"""
    match part.op.kind:
        case "batch_norm":
            return x, tuple(range(x.ndim - 1))
        case "group_norm":
            return x.reshape(len(x), -1, part.op.groups, x.shape[-1] // part.op.groups), (1, 3)
    return x, (-1,)


def _normalised(
    part: ReplayedPart,
    x: np.ndarray,
    ddof: int = 0,
    root: Change | None = None,
    centre: bool = True,
) -> np.ndarray:
    """scale (x - mu) / root(variance) + bias, over the op's own axes."""
    apart, axes = _grouped(part, x)
    mean = apart.mean(axis=axes, keepdims=True) if centre else 0.0
    count = np.prod([apart.shape[axis] for axis in axes])
    variance = np.square(apart - mean).sum(axis=axes, keepdims=True) / (count - ddof)
    root = root or (lambda v: np.sqrt(v + part.op.epsilon))
    y: np.ndarray = ((apart - mean) / root(variance)).reshape(x.shape) * part.parameter("scale")
    return y + part.parameter("bias") if "bias" in part.roles() else y


def _with_root(part: ReplayedPart, root: Change) -> np.ndarray:
    """The norm with another divisor made of the variance."""
    centre = part.op.kind != "rms_norm"
    return _normalised(part, part.inputs[0], root=root, centre=centre)


for _epsilon in EPSILONS:

    @convention(f"epsilon {_epsilon:g}", *NORMS)
    def other_epsilon(part: ReplayedPart, epsilon: float = _epsilon) -> Answer:
        return part.with_op(epsilon=epsilon) if epsilon != part.op.epsilon else None


@convention("epsilon outside the root", *NORMS)
def epsilon_outside(part: ReplayedPart) -> Answer:
    def root(v: np.ndarray) -> np.ndarray:
        deviation: np.ndarray = np.sqrt(v) + part.op.epsilon
        return deviation

    return part.value(lambda: _with_root(part, root))


@convention("no epsilon", *NORMS)
def no_epsilon(part: ReplayedPart) -> Answer:
    return part.value(lambda: _with_root(part, np.sqrt))


@convention("unbiased variance", *CENTRED)
def unbiased(part: ReplayedPart) -> Answer:
    return part.value(lambda: _normalised(part, part.inputs[0], ddof=1))


@convention("mean not subtracted", *CENTRED)
def uncentred(part: ReplayedPart) -> Answer:
    return part.value(lambda: _normalised(part, part.inputs[0], centre=False))


@convention("mean subtracted", "rms_norm")
def centred(part: ReplayedPart) -> Answer:
    return part.value(lambda: _normalised(part, part.inputs[0]))


@convention("unbiased running variance, or biased against the spec", "batch_norm")
def running_unbiased(part: ReplayedPart) -> Answer:
    return part.with_op(unbiased=not part.op.unbiased)


@convention("momentum is the new statistics' weight", "batch_norm")
def momentum_meaning(part: ReplayedPart) -> Answer:
    return part.with_op(momentum=1 - part.op.momentum)


@convention("running statistics in place of the batch's", "batch_norm")
def running_in_training(part: ReplayedPart) -> Answer:
    return part.inferred if part.output_is_wrong else None


@convention("the batch's statistics in place of the running ones", "batch_norm")
def batch_in_inference(part: ReplayedPart) -> Answer:
    return part.output if part.inferred_is_wrong else None


@convention("scale left out", *NORMS)
def no_scale(part: ReplayedPart) -> Answer:
    return part.with_parameters(scale=np.ones_like)


@convention("bias left out", *CENTRED)
def no_bias(part: ReplayedPart) -> Answer:
    return part.with_parameters(bias=np.zeros_like)


@convention("scale and bias left out", *CENTRED)
def no_affine(part: ReplayedPart) -> Answer:
    return part.with_parameters(scale=np.ones_like, bias=np.zeros_like)


@convention("statistics over all axes of an example", "layer_norm")
def over_all_axes(part: ReplayedPart) -> Answer:
    return part.with_op("group_norm", groups=1, epsilon=part.op.epsilon)


@convention("groups of channels that stand apart", "group_norm")
def groups_interleaved(part: ReplayedPart) -> Answer:
    groups = part.op.groups
    return part.value(lambda: _normalised_interleaved(part, part.inputs[0], groups))


def _normalised_interleaved(part: ReplayedPart, x: np.ndarray, groups: int) -> np.ndarray:
    order = np.arange(x.shape[-1]).reshape(-1, groups).T.reshape(-1)
    apart, axes = _grouped(part, x[..., order])
    mean = apart.mean(axis=axes, keepdims=True)
    variance = np.square(apart - mean).mean(axis=axes, keepdims=True)
    interleaved = ((apart - mean) / np.sqrt(variance + part.op.epsilon)).reshape(x.shape)
    scaled = interleaved[..., np.argsort(order)] * part.parameter("scale")
    y: np.ndarray = scaled + part.parameter("bias")
    return y


@convention("no gradient through mean and variance", *NORMS)
def constant_statistics(part: ReplayedPart) -> Answer:
    def formula(g: np.ndarray) -> np.ndarray:
        apart, axes = _grouped(part, part.inputs[0])
        mean = apart.mean(axis=axes, keepdims=True) if part.op.kind != "rms_norm" else 0.0
        variance = np.square(apart - mean).mean(axis=axes, keepdims=True)
        root = np.sqrt(variance + part.op.epsilon)
        deviation = np.broadcast_to(root, apart.shape).reshape(g.shape)
        gradient: np.ndarray = g * part.parameter("scale") / deviation
        return gradient

    return part.input_gradient(0, formula)


@convention("gradient of the input without the scale", *NORMS)
def unscaled_gradient(part: ReplayedPart) -> Answer:
    return part.input_gradient(0, lambda g: _input_gradient(part, g))


def _input_gradient(part: ReplayedPart, g: np.ndarray) -> np.ndarray:
    """dL/dx of the normalised x alone, of dL/dy: scale and bias stand apart."""
    apart, axes = _grouped(part, part.inputs[0])
    centred = part.op.kind != "rms_norm"
    mean = apart.mean(axis=axes, keepdims=True) if centred else 0.0
    root = np.sqrt(np.square(apart - mean).mean(axis=axes, keepdims=True) + part.op.epsilon)
    xhat, flowing = (apart - mean) / root, g.reshape(apart.shape)
    flowing = flowing - xhat * (flowing * xhat).mean(axis=axes, keepdims=True)
    if centred:
        flowing = flowing - flowing.mean(axis=axes, keepdims=True)
    gradient: np.ndarray = (flowing / root).reshape(g.shape)
    return gradient
