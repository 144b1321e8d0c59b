"""Conventions of losses."""

import numpy as np

from .convention import Answer, convention
from .part import ReplayedPart


def _scaled(part: ReplayedPart, times: float) -> np.ndarray:
    """The loss or its gradient, so many times the reference's."""
    return part.reference[part.key] * times


@convention("a sum in place of the mean (1/N missing)", "cross_entropy", "mse", "bce_with_logits")
def summed(part: ReplayedPart) -> Answer:
    return _scaled(part, part.labels())


@convention("a mean over examples and a sum within them", "mse", "bce_with_logits", "cross_entropy")
def mean_over_examples(part: ReplayedPart) -> Answer:
    return _scaled(part, part.labels() / len(part.replay.batches[0].targets))


@convention("ignored labels counted in the mean", "cross_entropy")
def ignored_counted(part: ReplayedPart) -> Answer:
    return _scaled(part, part.labels() / part.replay.batches[0].targets.size)


@convention("divided by the number of classes too", "cross_entropy")
def divided_by_classes(part: ReplayedPart) -> Answer:
    return _scaled(part, 1 / part.inputs[0].shape[-1])


@convention("half the squared error", "mse")
def halved(part: ReplayedPart) -> Answer:
    return _scaled(part, 0.5)


@convention("no label smoothing", "cross_entropy")
def unsmoothed(part: ReplayedPart) -> Answer:
    return part.with_loss(smoothing=0.0) if part.loss.smoothing else None


@convention("smoothing spread over the other classes alone", "cross_entropy")
def smoothed_elsewhere(part: ReplayedPart) -> Answer:
    classes = part.inputs[0].shape[-1]
    share = part.loss.smoothing * classes / (classes - 1)
    return part.with_loss(smoothing=share) if 0 < share < 1 else None


@convention("the last of equal logits in place of the first", "prediction")
def last_of_equal(part: ReplayedPart) -> Answer:
    z = part.inputs[0]
    if part.loss.prediction != "argmax":
        return None
    last: np.ndarray = z.shape[-1] - 1 - z[..., ::-1].argmax(axis=-1)
    return last


@convention("the smallest logit in place of the largest", "prediction")
def smallest(part: ReplayedPart) -> Answer:
    return part.inputs[0].argmin(axis=-1) if part.loss.prediction == "argmax" else None


@convention("a logit of 0 taken for positive", "prediction")
def zero_is_positive(part: ReplayedPart) -> Answer:
    return part.inputs[0] >= 0 if part.loss.prediction == "positive" else None


@convention("softmax before the loss takes logits", "cross_entropy")
def softmax_twice(part: ReplayedPart) -> Answer:
    z = part.inputs[0]
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    if not part.loss_is_wrong:
        return None
    return part.with_inputs({0: lambda _: e / e.sum(axis=-1, keepdims=True)})
