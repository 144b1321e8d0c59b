"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts.

z is (N, K), (N, ..., K), or (N, K, H, W) for images.
"""

import torch.nn.functional as F


def cross_entropy(loss, z, labels):
    """No label is PyTorch's default for `ignored`, -100."""
    if z.ndim not in (2, 4):
        z, labels = z.flatten(0, -2), labels.flatten()
    ignored = -100 if loss.ignored is None else loss.ignored
    return F.cross_entropy(z, labels, ignore_index=ignored, label_smoothing=loss.smoothing)


def bce_with_logits(loss, z, targets):
    return F.binary_cross_entropy_with_logits(z, targets)


def mse(loss, z, targets):
    return F.mse_loss(z, targets)


def argmax(z):
    classes = 1 if z.ndim == 4 else -1
    return z.argmax(classes)


def positive(z):
    return (z > 0).long()


def identity(z):
    return z
