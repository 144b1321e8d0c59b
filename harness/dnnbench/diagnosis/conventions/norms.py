"""Conventions of normalisations."""

import numpy as np

from .scene import convention

NORMS = ("batch_norm", "layer_norm", "group_norm", "rms_norm")
CENTRED = ("batch_norm", "layer_norm", "group_norm")
EPSILONS = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12)


def _grouped(scene, x):
    """(x with its groups apart, axes that statistics are taken over)"""
    match scene.op.kind:
        case "batch_norm":
            return x, tuple(range(x.ndim - 1))
        case "group_norm":
            return x.reshape(len(x), -1, scene.op.groups, x.shape[-1] // scene.op.groups), (1, 3)
    return x, (-1,)


def _normalised(scene, x, ddof=0, root=None, centre=True):
    """scale (x - mu) / root(variance) + bias, over the op's own axes."""
    apart, axes = _grouped(scene, x)
    mean = apart.mean(axis=axes, keepdims=True) if centre else 0.0
    count = np.prod([apart.shape[axis] for axis in axes])
    variance = np.square(apart - mean).sum(axis=axes, keepdims=True) / (count - ddof)
    root = root or (lambda v: np.sqrt(v + scene.op.epsilon))
    y = ((apart - mean) / root(variance)).reshape(x.shape) * scene.parameter("scale")
    return y + scene.parameter("bias") if "bias" in scene.roles() else y


for _epsilon in EPSILONS:

    @convention(f"epsilon {_epsilon:g}", *NORMS)
    def other_epsilon(scene, epsilon=_epsilon):
        return scene.with_op(epsilon=epsilon) if epsilon != scene.op.epsilon else None


@convention("epsilon outside the root", *NORMS)
def epsilon_outside(scene):
    def root(v):
        return np.sqrt(v) + scene.op.epsilon

    return scene.value(lambda: _normalised(scene, scene.inputs[0], root=root, centre=scene.op.kind != "rms_norm"))


@convention("no epsilon", *NORMS)
def no_epsilon(scene):
    return scene.value(lambda: _normalised(scene, scene.inputs[0], root=np.sqrt, centre=scene.op.kind != "rms_norm"))


@convention("unbiased variance", *CENTRED)
def unbiased(scene):
    return scene.value(lambda: _normalised(scene, scene.inputs[0], ddof=1))


@convention("mean not subtracted", *CENTRED)
def uncentred(scene):
    return scene.value(lambda: _normalised(scene, scene.inputs[0], centre=False))


@convention("mean subtracted", "rms_norm")
def centred(scene):
    return scene.value(lambda: _normalised(scene, scene.inputs[0]))


@convention("unbiased running variance, or biased against the spec", "batch_norm")
def running_unbiased(scene):
    return scene.with_op(unbiased=not scene.op.unbiased)


@convention("momentum is the new statistics' weight", "batch_norm")
def momentum_meaning(scene):
    return scene.with_op(momentum=1 - scene.op.momentum)


@convention("running statistics in place of the batch's", "batch_norm")
def running_in_training(scene):
    return scene.truth[f"infer/{scene.node.name}"] if scene.asks_for_value() else None


@convention("the batch's statistics in place of the running ones", "batch_norm")
def batch_in_inference(scene):
    return scene.truth[f"activations/{scene.node.name}"] if scene.key == f"infer/{scene.node.name}" else None


@convention("scale and bias left out", *CENTRED)
def no_affine(scene):
    return scene.with_parameters(scale=np.ones_like, bias=np.zeros_like)


@convention("statistics over all axes of an example", "layer_norm")
def over_all_axes(scene):
    return scene.with_op("group_norm", groups=1, epsilon=scene.op.epsilon)


@convention("groups of channels that stand apart", "group_norm")
def groups_interleaved(scene):
    groups = scene.op.groups
    return scene.value(lambda: _normalised_interleaved(scene, scene.inputs[0], groups))


def _normalised_interleaved(scene, x, groups):
    order = np.arange(x.shape[-1]).reshape(-1, groups).T.reshape(-1)
    apart, axes = _grouped(scene, x[..., order])
    mean = apart.mean(axis=axes, keepdims=True)
    variance = np.square(apart - mean).mean(axis=axes, keepdims=True)
    y = ((apart - mean) / np.sqrt(variance + scene.op.epsilon)).reshape(x.shape)[..., np.argsort(order)]
    return y * scene.parameter("scale") + scene.parameter("bias")


@convention("no gradient through mean and variance", *NORMS)
def constant_statistics(scene):
    def formula(g):
        apart, axes = _grouped(scene, scene.inputs[0])
        mean = apart.mean(axis=axes, keepdims=True) if scene.op.kind != "rms_norm" else 0.0
        variance = np.square(apart - mean).mean(axis=axes, keepdims=True)
        deviation = np.broadcast_to(np.sqrt(variance + scene.op.epsilon), apart.shape).reshape(g.shape)
        return g * scene.parameter("scale") / deviation

    return scene.input_gradient(0, formula)
