"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it.

Images are (N, C, H, W). Arguments are tensors, or stand-ins for them that know `ndim` and `shape` but not N.
"""

import torch
import torch.nn.functional as F
from dnnbench.spec.tensor import TensorType


def types(x):
    """Types of images as the spec's shape rules want them."""
    return [TensorType((*x.shape[2:], x.shape[1]))]


def dense(op, x, weight, bias=None):
    return F.linear(x, weight, bias)


def conv2d(op, x, weight, bias=None):
    x, padding = _padded(x, op.pads(types(x)), 0.0, widest=None)
    return torch.conv2d(x, weight, bias, op.strides, padding, op.dilation)


def _padded(x, pads, value, widest):
    """(x, padding that the kernel can do itself): the same on both sides, and for pools at most half a window."""
    (top, bottom), (left, right) = pads
    fits = widest is None or (top <= widest[0] // 2 and left <= widest[1] // 2)
    if top == bottom and left == right and fits:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def max_pool2d(op, x):
    x, padding = _padded(x, op.pads(types(x)), -float("inf"), widest=op.window)
    return torch.max_pool2d(x, op.window, op.steps, padding)


def avg_pool2d(op, x):
    padded, padding = _padded(x, op.pads(types(x)), 0.0, widest=op.window)
    if padded is x or op.count_include_pad:
        return F.avg_pool2d(padded, op.window, op.steps, padding, count_include_pad=op.count_include_pad)
    inside, _ = _padded(torch.ones_like(x[:1, :1]), op.pads(types(x)), 0.0, widest=op.window)
    return _window_sums(op, padded) / _window_sums(op, inside)


def _window_sums(op, x):
    return F.avg_pool2d(x, op.window, op.steps, divisor_override=1)


def global_avg_pool(op, x):
    return x.mean((2, 3))


def flatten(op, x):
    if x.ndim == 4:
        x = x.permute(0, 2, 3, 1)  # (N, H, W, C), the order in memory
    return x.flatten(1)


def relu(op, x):
    return torch.relu(x)


def sigmoid(op, x):
    return torch.sigmoid(x)


def tanh(op, x):
    return torch.tanh(x)


def softmax(op, x):
    return torch.softmax(x, 1 if x.ndim == 4 else -1)


def add(op, *inputs):
    return sum(inputs[1:], inputs[0])


def dropout(op, x, mask, generator):
    """F.dropout takes no generator: the program lends its own to the device's default one."""
    return F.dropout(x, op.rate) if mask is None else x * mask / (1 - op.rate)


def batch_norm(op, x, scale, bias, mean, variance):
    y = F.batch_norm(_channels_second(x), mean, variance, scale, bias, False, 0.0, op.epsilon)
    return y if x.ndim in (2, 4) else y.view_as(x)


def _channels_second(x):
    """(N, C) or (N, C, H, W): what PyTorch's kernels take for a batch."""
    return x if x.ndim in (2, 4) else x.flatten(0, -2)


def batch_norm_training(op, x, scale, bias, mean, variance):
    """PyTorch's running variance is unbiased: the biased one comes from what the kernel saves for backpropagation."""
    rows = _channels_second(x)
    y, batch_mean, inverse_std = torch.native_batch_norm(rows, scale, bias, None, None, True, 0.0, op.epsilon)
    running = {
        "mean": torch.lerp(mean, batch_mean, 1 - op.momentum),
        "variance": torch.lerp(variance, inverse_std.pow(-2) - op.epsilon, 1 - op.momentum),
    }
    return y if x.ndim in (2, 4) else y.view_as(x), running
