"""The code of each op, over values in place of tensors.

What an op means stands in `dnnbench.spec.ops`, how TensorFlow computes it in
`dnnbench_tensorflow.ops`.
"""

from math import prod

import numpy as np
from dnnbench.scripts.values import call, key_of
from dnnbench.spec.ops.windows import resolve_padding

NONE = ((0, 0), (0, 0))


def dense(op, x, weight, bias=None):
    if x.ndim == 2:
        return _biased(_product(op, x, weight), bias)
    return call("dense", x, weight, bias, transposed=op.transposed or None)


def _product(op, x, weight):
    return call("tf.matmul", x, weight, transpose_b=op.transposed or None)


def _biased(code, bias):
    return code if bias is None else call("tf.nn.bias_add", code, bias)


def matmul(op, a, b):
    return call("tf.matmul", a, b, transpose_b=op.transpose_b or None)


def conv1d(op, x, weight, bias=None):
    """An image of height 1."""
    geometry = (1, op.strides), ((0, 0), op.pads([x.type])), (1, op.dilation), op.groups
    kernel = (1, op.kernel)
    y = convolution(f"{x}[:, None]", (1, *x.shape), f"{weight}[None]", kernel, *geometry)
    return f"tf.squeeze({_biased(y, bias)}, 1)"


def conv2d(op, x, weight, bias=None):
    geometry = op.strides, op.pads([x.type]), op.dilation, op.groups
    return _biased(convolution(str(x), x.shape, str(weight), op.kernel, *geometry), bias)


def convolution(x, shape, weight, kernel, strides, pads, dilation, groups):
    """x: code of (N, H, W, C), whose `shape` is (H, W, C)"""
    if dilation != (1, 1):
        return call("dilated_conv", x, weight, strides, pads, dilation, groups)
    if groups == shape[-1] > 1:
        return call("depthwise_conv", x, weight, strides, pads)
    x, padding = _padded(x, shape, kernel, strides, pads)
    if groups > 1:
        return call("grouped_conv", x, weight, strides, padding, groups)
    return call("tf.nn.conv2d", x, weight, short(strides), padding)


def _padded(x, shape, kernel, strides, pads):
    """(code of the image, padding by name): numbers that SAME does not stand for are put on."""
    if pads == resolve_padding("same", shape[:2], kernel, strides):
        return x, '"SAME"'
    if pads == NONE:
        return x, '"VALID"'
    return call("tf.pad", x, every_axis(pads)), '"VALID"'


def every_axis(pads):
    """(lo, hi) of H and W as tf.pad wants them for (N, H, W, C)."""
    return [[0, 0], *map(list, pads), [0, 0]]


def short(sizes):
    """(2, 2) as 2."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)


def conv_transpose2d(op, x, weight, bias=None):
    dilation = op.dilation if op.dilation != (1, 1) else None
    extra = op.output_padding if any(op.output_padding) else None
    y = call("conv_transpose", x, weight, op.strides, op.pads, dilation=dilation, extra=extra)
    return _biased(y, bias)


def max_pool2d(op, x):
    if isinstance(op.padding, str):
        return _pool("max", op, x, op.padding)
    return call("padded_max_pool", x, op.window, op.steps, op.padding)


def _pool(kind, op, x, padding):
    strides = short(op.steps)
    return call(f"tf.nn.{kind}_pool2d", x, short(op.window), strides, f'"{padding.upper()}"')


def avg_pool2d(op, x):
    """TensorFlow's own divisor leaves padding out, and it pads by name only."""
    if op.padding == "valid" or (op.padding == "same" and not op.count_include_pad):
        return _pool("avg", op, x, op.padding)
    y = _pool("avg", op, call("tf.pad", x, every_axis(op.pads([x.type]))), "valid")
    if op.count_include_pad:
        return y
    return f"{y} * {_correction(op, x)}"


def _correction(op, x):
    """What makes a mean with padding one without, for each window: (H', W', 1)."""
    windows = op.output([x.type]).shape
    axes = zip(x.shape[:2], op.pads([x.type]), op.window, op.steps, windows, strict=False)
    rows, columns = (_counts_along(*axis) for axis in axes)
    return f"tf.constant(window_shares({rows}, {columns}, {prod(op.window)}), {x}.dtype)"


def _counts_along(size, pads, window, stride, windows):
    first = np.arange(windows) * stride - pads[0]
    return (np.minimum(first + window, size) - np.maximum(first, 0)).tolist()


def global_avg_pool(op, x):
    return f"tf.reduce_mean({x}, (1, 2))"


def global_max_pool(op, x):
    """A window over the whole image: reduce_max shares a tie's gradient out."""
    return f'tf.squeeze(tf.nn.max_pool2d({x}, {x}.shape[1:3], 1, "VALID"), (1, 2))'


def adaptive_avg_pool2d(op, x):
    height, width = x.shape[:2]
    if height % op.size[0] == 0 and width % op.size[1] == 0:
        window = short((height // op.size[0], width // op.size[1]))
        return call("tf.nn.avg_pool2d", x, window, window, '"VALID"')
    return call("adaptive_avg_pool", x, *op.windows([x.type]))


def flatten(op, x):
    return f"tf.reshape({x}, ({x}.shape[0], -1))"


def reshape(op, x):
    return f"tf.reshape({x}, ({x}.shape[0], {', '.join(map(str, op.shape))}))"


def transpose(op, x):
    return f"tf.transpose({x}, {(0, *(axis + 1 for axis in op.axes))})"


def slice(op, x):
    before = ":, " * (op.axis % len(x.shape) + 1)
    return f"{x}[{before}{op.start or ''}:{op.stop or ''}]"


def concat(op, *inputs):
    [batched, *_] = [x for x in inputs if x.type.batched]
    joined = [str(x) if x.type.batched else _for_each(batched, x) for x in inputs]
    return f"tf.concat([{', '.join(joined)}], {_batch_axis(op.axis, batched)})"


def _batch_axis(axis, x):
    """An axis of one example as one of the batched tensor."""
    return axis % len(x.shape) + 1


def _for_each(batched, constant):
    """A learned constant once for every example."""
    return f"tf.broadcast_to({constant}, ({batched}.shape[0], *{constant}.shape))"


def mean(op, x):
    axes = tuple(_batch_axis(axis, x) for axis in op.axes)
    return f"tf.reduce_mean({x}, {axes if len(axes) > 1 else axes[0]})"


def relu(op, x):
    return call("tf.nn.relu", x)


def relu6(op, x):
    return call("tf.nn.relu6", x)


def leaky_relu(op, x):
    return call("leaky_relu", x, op.slope)


def elu(op, x):
    return call("tf.nn.elu", x) if op.alpha == 1 else call("elu", x, op.alpha)


def gelu(op, x):
    """The graph of tf.nn.gelu, whose constants pass through float32."""
    if op.approximation == "tanh":
        return call("gelu_by_tanh", x)
    return f"0.5 * {x} * (1 + tf.math.erf({x} / 2**0.5))"


def silu(op, x):
    return call("tf.nn.silu", x)


def hardswish(op, x):
    return f"{x} * tf.nn.relu6({x} + 3) / 6"


def sigmoid(op, x):
    return call("tf.sigmoid", x)


def tanh(op, x):
    return call("tf.tanh", x)


def softmax(op, x):
    return call("tf.nn.softmax", x)


def add(op, *inputs):
    return " + ".join(map(str, inputs))


def mul(op, *inputs):
    return " * ".join(map(str, inputs))


def dropout(op, x, mask, generator):
    return call("dropout", x, op.rate, generator, f"{x}.shape")


def stochastic_depth(op, x, mask, generator):
    return call("dropout", x, op.rate, generator, f"{x}.shape[:1]")


def batch_norm(op, x, scale, bias, mean, variance):
    return call("batch_norm_by", x, scale, bias, mean, variance, op.epsilon)


def batch_norm_training(op, x, scale, bias, mean, variance):
    kept = ("state", key_of(mean), key_of(variance))
    constants = (op.momentum, op.epsilon, True if op.unbiased else None)
    return call("batch_norm", x, scale, bias, *kept, *constants), {}


def layer_norm(op, x, scale, bias):
    return call("layer_norm", x, scale, bias, op.epsilon)


def rms_norm(op, x, scale):
    return call("rms_norm", x, scale, op.epsilon)


def group_norm(op, x, scale, bias):
    return call("group_norm", x, scale, bias, op.groups, op.epsilon)


def embedding(op, ids, weight):
    return call("tf.gather", weight, ids)


def position_embedding(op, x, weight):
    return f"{x} + {weight}[{op.offset or ''}:{op.offset + x.shape[0]}]"


def lstm(op, x, *states, weight, recurrent, bias):
    h, c = states or (None, None)
    return call("lstm", x, weight, recurrent, bias, h=h, c=c, last=_last(op))


def gru(op, x, *states, weight, recurrent, bias, hidden_bias):
    (h,) = states or (None,)
    return call("gru", x, weight, recurrent, bias, hidden_bias, h=h, last=_last(op))


def _last(op):
    return None if op.sequences else True


def attention(op, q, k, v, mask=None):
    return call("attention", q, k, v, op.heads, mask=mask, causal=op.causal or None)
