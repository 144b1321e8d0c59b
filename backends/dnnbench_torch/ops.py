"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it.

Images are (N, C, H, W). Arguments are tensors, or stand-ins for them that know `ndim`
and `shape` but not N.
"""

from functools import reduce
from operator import mul as times

import torch
import torch.nn.functional as F

from .attention import visible
from .axes import beside, canonical, dim_of, inside, types
from .recurrent import gru_layer, lstm_layer
from .windows import padded, window_means


def dense(op, x, weight, bias=None):
    return F.linear(x, weight, bias)


def matmul(op, a, b):
    b = canonical(b).transpose(-1, -2) if op.transpose_b else canonical(b)
    y = torch.matmul(canonical(a), b)
    return inside(y, a.ndim)


def conv1d(op, x, weight, bias=None):
    """As an image one row high, whose channels_last memory is the sequence's own;
    torch.conv1d would copy it.
    """
    row = x.transpose(1, 2).unsqueeze(2)  # (N, C, 1, T)
    row, padding = padded(row, ((0, 0), op.pads(types(x))))
    y = torch.conv2d(
        row, weight.unsqueeze(2), bias, (1, op.strides), padding, (1, op.dilation), op.groups
    )
    return y.squeeze(2).transpose(1, 2)


def conv2d(op, x, weight, bias=None):
    x, padding = padded(x, op.pads(types(x)))
    return torch.conv2d(x, weight, bias, op.strides, padding, op.dilation, op.groups)


def conv_transpose2d(op, x, weight, bias=None):
    """PyTorch cuts the same on both sides; anything else is cut here."""
    height, width, _ = op.output(types(x)).shape
    (top, bottom), (left, right) = op.pads
    even = top == bottom and left == right
    cut = (top, left) if even else (0, 0)
    y = torch.conv_transpose2d(x, weight, bias, op.strides, cut, op.output_padding, 1, op.dilation)
    return y if even else y.narrow(2, top, height).narrow(3, left, width)


def max_pool2d(op, x):
    x, padding = padded(x, op.pads(types(x)), -float("inf"), widest=op.window)
    return torch.max_pool2d(x, op.window, op.steps, padding)


def avg_pool2d(op, x):
    pads = op.pads(types(x))
    within, padding = padded(x, pads, widest=op.window)
    if within is not x and not op.count_include_pad:
        return window_means(op, x, pads)
    return F.avg_pool2d(
        within, op.window, op.steps, padding, count_include_pad=op.count_include_pad
    )


def global_avg_pool(op, x):
    return x.mean((2, 3))


def global_max_pool(op, x):
    """amax would share the gradient among ties; max gives it to the first."""
    return torch.max(x.flatten(2), -1)[0]


def adaptive_avg_pool2d(op, x):
    return F.adaptive_avg_pool2d(x, op.size)


def flatten(op, x):
    return canonical(x).flatten(1)


def reshape(op, x):
    y = canonical(x).reshape(-1, *op.shape)
    return inside(y, 1 + len(op.shape))


def transpose(op, x):
    axes = (1 + axis for axis in op.axes)
    return inside(canonical(x).permute(0, *axes), x.ndim)


def slice(op, x):
    dim = dim_of(x.ndim, op.axis)
    stop = op.stop or x.shape[dim]
    return x.narrow(dim, op.start, stop - op.start)


def concat(op, *inputs):
    batched = max(inputs, key=lambda x: x.ndim)
    whole = [x if x.ndim == batched.ndim else x.expand(batched.size(0), *x.shape) for x in inputs]
    return torch.cat(whole, dim_of(batched.ndim, op.axis))


def mean(op, x):
    axes = [axis % (x.ndim - 1) + 1 for axis in op.axes]
    return inside(canonical(x).mean(axes), x.ndim - len(axes))


def relu(op, x):
    return torch.relu(x)


def relu6(op, x):
    return F.relu6(x)


def leaky_relu(op, x):
    return F.leaky_relu(x, op.slope)


def elu(op, x):
    return F.elu(x, op.alpha)


def gelu(op, x):
    approximation = "tanh" if op.approximation == "tanh" else "none"
    return F.gelu(x, approximate=approximation)


def silu(op, x):
    return F.silu(x)


def hardswish(op, x):
    return F.hardswish(x)


def sigmoid(op, x):
    return torch.sigmoid(x)


def tanh(op, x):
    return torch.tanh(x)


def softmax(op, x):
    return torch.softmax(x, dim_of(x.ndim, -1))


def add(op, *inputs):
    return sum(beside(inputs), inputs[0])


def mul(op, *inputs):
    return reduce(times, beside(inputs), inputs[0])


def dropout(op, x, mask, generator):
    """F.dropout takes no generator: the program lends its own to the device's default one."""
    return F.dropout(x, op.rate) if mask is None else x * mask / (1 - op.rate)


def stochastic_depth(op, x, mask, generator):
    beside = (1,) * (x.ndim - 1)
    if mask is None:
        return x * F.dropout(x.new_ones((x.size(0), *beside)), op.rate)
    return x * mask.view(-1, *beside) / (1 - op.rate)


def batch_norm(op, x, scale, bias, mean, variance):
    y = F.batch_norm(_channels_second(x), mean, variance, scale, bias, False, 0.0, op.epsilon)
    return _shaped_as(x, y)


def _channels_second(x):
    """(N, C) or (N, C, H, W): what PyTorch's kernels take for a batch.

    An image with an axis of size 1 goes as rows:
    the stride of that axis is part of how batch norm's gradient tells the memory formats apart,
    and after a transpose it takes one for the other and is wrong.
    """
    if _is_taken(x):
        return x
    return canonical(x).flatten(0, -2)  # (places, C)


def _is_taken(x):
    return x.ndim == 2 or (x.ndim == 4 and 1 not in x.shape[1:])


def _shaped_as(x, y):
    """What `_channels_second` undoes."""
    return y if _is_taken(x) else inside(y.view_as(canonical(x)), x.ndim)


def batch_norm_training(op, x, scale, bias, mean, variance):
    """What F.batch_norm calls, for the sake of what it saves for backpropagation:
    the biased variance is in there.
    """
    rows = _channels_second(x)
    saved = torch._batch_norm_impl_index(rows, scale, bias, None, None, True, 0.0, op.epsilon, True)
    y, batch_mean = saved[0], saved[1]
    batch_variance = saved[2].pow(-2) - op.epsilon  # saved is 1 / sqrt(variance + epsilon)
    if op.unbiased:
        count = rows.numel() // types(x)[0].shape[-1]
        batch_variance = batch_variance * (count / torch.sym_max(count - 1, 1))
    running = {
        "mean": torch.lerp(mean, batch_mean, 1 - op.momentum),
        "variance": torch.lerp(variance, batch_variance, 1 - op.momentum),
    }
    return _shaped_as(x, y), running


def layer_norm(op, x, scale, bias):
    y = F.layer_norm(canonical(x), types(x)[0].shape[-1:], scale, bias, op.epsilon)
    return inside(y, x.ndim)


def rms_norm(op, x, scale):
    y = F.rms_norm(canonical(x), types(x)[0].shape[-1:], scale, op.epsilon)
    return inside(y, x.ndim)


def group_norm(op, x, scale, bias):
    """In contiguous memory: for channels_last PyTorch takes the variance in one pass,
    mean x^2 - (mean x)^2.
    """
    rows = x if x.ndim in (2, 4) else x.movedim(-1, 1)
    y = torch.group_norm(rows.contiguous(), op.groups, scale, bias, op.epsilon)
    if x.ndim == 4:
        return y.contiguous(memory_format=torch.channels_last)
    return y if x.ndim == 2 else y.movedim(1, -1)


def embedding(op, ids, weight):
    return inside(F.embedding(ids, weight), ids.ndim + 1)


def position_embedding(op, x, weight):
    return x + weight.narrow(0, op.offset, x.shape[1])


def lstm(op, x, *state, weight, recurrent, bias):
    h, c = state or 2 * (x.new_zeros((x.size(0), op.units)),)
    first, trains = (h.unsqueeze(0), c.unsqueeze(0)), torch.is_grad_enabled()
    result = lstm_layer(x, *first, weight, recurrent, bias, trains)
    return result[0] if op.sequences else result[1].squeeze(0)


def gru(op, x, *state, weight, recurrent, bias, hidden_bias):
    """PyTorch's second bias stands before each gate; the layout has put the gates in its order."""
    (h,) = state or (x.new_zeros((x.size(0), op.units)),)
    biases = bias, F.pad(hidden_bias, (2 * op.units, 0))
    result = gru_layer(x, h.unsqueeze(0), weight, recurrent, *biases, torch.is_grad_enabled())
    return result[0] if op.sequences else result[1].squeeze(0)


def attention(op, q, k, v, mask=None):
    heads = [
        x.unflatten(-1, (op.heads, -1)).transpose(1, 2) for x in (q, k, v)
    ]  # (N, heads, T, D / heads)
    mask, triangle = visible(op, q, k, mask)
    y = F.scaled_dot_product_attention(*heads, attn_mask=mask, is_causal=triangle)
    return y.transpose(1, 2).flatten(2)  # (N, T, D)
