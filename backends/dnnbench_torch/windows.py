"""Padding as PyTorch's kernels can do it, and as they cannot."""

import torch.nn.functional as F


def padded(x, pads, value=0.0, widest=None):
    """(x, padding that the kernel can do itself): the same on both sides,
    and for pools at most half a window.

    x: (N, C, H, W)   pads: ((top, bottom), (left, right))
    """
    (top, bottom), (left, right) = pads
    fits = widest is None or (top <= widest[0] // 2 and left <= widest[1] // 2)
    if top == bottom and left == right and fits:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def window_means(op, x, pads):
    """Mean of each window over the elements that are no padding.      x: (N, C, H, W)"""
    within, _ = padded(x, pads, widest=op.window)
    inside, _ = padded(x.new_ones((1, 1, *x.shape[2:])), pads, widest=op.window)
    return _window_sums(op, within) / _window_sums(op, inside)


def _window_sums(op, x):
    return F.avg_pool2d(x, op.window, op.steps, divisor_override=1)
