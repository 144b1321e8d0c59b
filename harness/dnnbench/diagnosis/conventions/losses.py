"""Conventions of losses."""

import numpy as np

from .scene import convention


def _scaled(scene, times):
    """The loss or its gradient, so many times the reference's."""
    return scene.truth[scene.key] * times


@convention("a sum in place of the mean (1/N missing)", "cross_entropy", "mse", "bce_with_logits")
def summed(scene):
    return _scaled(scene, scene.labels())


@convention("a mean over examples and a sum within them", "mse", "bce_with_logits", "cross_entropy")
def mean_over_examples(scene):
    return _scaled(scene, scene.labels() / len(scene.replay.batches[0].targets))


@convention("ignored labels counted in the mean", "cross_entropy")
def ignored_counted(scene):
    return _scaled(scene, scene.labels() / scene.replay.batches[0].targets.size)


@convention("divided by the number of classes too", "cross_entropy")
def divided_by_classes(scene):
    return _scaled(scene, 1 / scene.inputs[0].shape[-1])


@convention("half the squared error", "mse")
def halved(scene):
    return _scaled(scene, 0.5)


@convention("no label smoothing", "cross_entropy")
def unsmoothed(scene):
    return scene.with_loss(smoothing=0.0) if scene.loss.smoothing else None


@convention("smoothing spread over the other classes alone", "cross_entropy")
def smoothed_elsewhere(scene):
    classes = scene.inputs[0].shape[-1]
    share = scene.loss.smoothing * classes / (classes - 1)
    return scene.with_loss(smoothing=share) if 0 < share < 1 else None


@convention("softmax before the loss takes logits", "cross_entropy")
def softmax_twice(scene):
    z = scene.inputs[0]
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return scene.with_inputs({0: lambda _: e / e.sum(axis=-1, keepdims=True)}) if scene.key == "loss" else None
