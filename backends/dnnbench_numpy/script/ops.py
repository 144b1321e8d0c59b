"""The code of each op, over values in place of arrays.

What an op means stands in `dnnbench.spec.ops`, how NumPy computes it in `dnnbench_numpy.ops`.
"""

from math import prod

from dnnbench.scripts.values import call, key_of


def dense(op, x, weight, bias=None):
    return call("dense", x, f"{weight}.T" if op.transposed else weight, bias)


def matmul(op, a, b):
    return f"{a} @ {b}.swapaxes(-1, -2)" if op.transpose_b else f"{a} @ {b}"


def conv1d(op, x, weight, bias=None):
    """An image one pixel high."""
    geometry = (1, op.strides), ((0, 0), op.pads([x.type])), (1, op.dilation), op.groups
    code = _convolution(f"{x}[:, None]", x.shape[-1], f"{weight}[None]", bias, *geometry)
    return f"{code}[:, 0]"


def conv2d(op, x, weight, bias=None):
    geometry = op.strides, op.pads([x.type]), op.dilation, op.groups
    return _convolution(x, x.shape[-1], weight, bias, *geometry)


def _convolution(x, channels, weight, bias, strides, pads, dilation, groups):
    """Where a filter reads one channel alone a product would be mostly copying."""
    spread = dilation if dilation != (1, 1) else None
    if groups > 1 and groups == channels:
        return call("depthwise", x, weight, bias, strides=strides, pads=pads, dilation=spread)
    apart = groups if groups > 1 else None
    return call("conv", x, weight, bias, strides=strides, pads=pads, dilation=spread, groups=apart)


def conv_transpose2d(op, x, weight, bias=None):
    size = op.output([x.type]).shape[:2]
    dilation = op.dilation if op.dilation != (1, 1) else None
    geometry = {"strides": op.strides, "pads": op.pads, "size": size, "dilation": dilation}
    return call("conv_transpose", x, weight, bias, **geometry)


def max_pool2d(op, x):
    return f"reduce(np.maximum, {call('taps', x, *_windows(op, x), '-np.inf')})"


def _windows(op, x):
    return op.window, op.steps, op.pads([x.type])


def avg_pool2d(op, x):
    if op.count_include_pad:
        return f"reduce(np.add, {call('taps', x, *_windows(op, x))}) / {prod(op.window)}"
    return call("window_means", x, *_windows(op, x))


def global_avg_pool(op, x):
    return f"{x}.mean(axis=(1, 2))"


def global_max_pool(op, x):
    return f"{x}.reshape(len({x}), -1, {x.shape[-1]}).max(axis=1)"


def adaptive_avg_pool2d(op, x):
    return call("adaptive_avg_pool", x, *op.windows([x.type]))


def flatten(op, x):
    return f"{x}.reshape(len({x}), -1)"


def reshape(op, x):
    return f"{x}.reshape(len({x}), {', '.join(map(str, op.shape))})"


def transpose(op, x):
    return f"{x}.transpose(0, {', '.join(str(axis + 1) for axis in op.axes)})"


def slice(op, x):
    before = ":, " * (op.axis % len(x.shape) + 1)
    return f"{x}[{before}{op.start or ''}:{op.stop or ''}]"


def concat(op, *inputs):
    [batched, *_] = [x for x in inputs if x.type.batched]
    joined = [str(x) if x.type.batched else _for_each(batched, x) for x in inputs]
    return f"np.concatenate([{', '.join(joined)}], axis={_axis(op.axis, batched)})"


def _axis(axis, x):
    """An axis of one example, counted behind the batch."""
    return axis % len(x.shape) + 1


def _for_each(batched, constant):
    """A learned constant once for every example."""
    return f"np.broadcast_to({constant}, (len({batched}), *{constant}.shape))"


def mean(op, x):
    axes = tuple(_axis(axis, x) for axis in op.axes)
    return f"{x}.mean(axis={axes if len(axes) > 1 else axes[0]})"


def relu(op, x):
    return call("np.maximum", x, 0)


def relu6(op, x):
    return call("np.clip", x, 0, 6)


def leaky_relu(op, x):
    return f"np.where({x} > 0, {x}, {op.slope} * {x})"


def elu(op, x):
    return f"np.where({x} > 0, {x}, {op.alpha} * np.expm1(np.minimum({x}, 0)))"


def gelu(op, x):
    return call("gelu_by_tanh" if op.approximation == "tanh" else "gelu", x)


def silu(op, x):
    return f"{x} * sigmoid({x})"


def hardswish(op, x):
    return f"{x} * np.clip({x} + 3, 0, 6) / 6"


def sigmoid(op, x):
    return call("sigmoid", x)


def tanh(op, x):
    return call("np.tanh", x)


def softmax(op, x):
    return call("softmax", x)


def add(op, *inputs):
    return " + ".join(map(str, inputs))


def mul(op, *inputs):
    return " * ".join(map(str, inputs))


def dropout(op, x, mask, generator):
    return call("dropout", x, op.rate, "masks", generator, "generator", f"{x}.shape")


def stochastic_depth(op, x, mask, generator):
    return call("dropout", x, op.rate, "masks", generator, "generator", f"{x}.shape[:1]")


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
    return f"{weight}[{ids}]"


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
