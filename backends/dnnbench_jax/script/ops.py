"""The code of each op, over values in place of arrays.

What an op means stands in `dnnbench.spec.ops`, how JAX computes it in `dnnbench_jax.ops`.
"""

from math import prod

from dnnbench.scripts.values import call, key_of


def dense(op, x, weight, bias=None):
    w = f"{weight}.T" if op.transposed else weight
    return _biased(f"{x} @ {w}", bias)


def _biased(code, bias):
    return code if bias is None else f"{code} + {bias}"


def matmul(op, a, b):
    return f"{a} @ jnp.swapaxes({b}, -1, -2)" if op.transpose_b else f"{a} @ {b}"


def conv1d(op, x, weight, bias=None):
    geometry = (op.strides,), (op.pads([x.type]),), (op.dilation,), op.groups
    return _biased(_convolution(x, weight, *geometry), bias)


def conv2d(op, x, weight, bias=None):
    geometry = op.strides, op.pads([x.type]), op.dilation, op.groups
    return _biased(_convolution(x, weight, *geometry), bias)


def _convolution(x, weight, strides, pads, dilation, groups):
    """XLA's convolutions in groups are 10 to 90 times slower on a CPU than the sums they stand
    for.
    """
    spread = dilation if set(dilation) != {1} else None
    if groups == 1:
        return call("conv", x, weight, strides, pads, dilation=spread)
    if groups == x.shape[-1]:
        name = "depthwise" if len(strides) == 2 else "depthwise_of_sequence"
        return call(name, x, weight, strides, pads, dilation)
    return call("grouped_conv", x, weight, strides, pads, groups, dilation=spread)


def conv_transpose2d(op, x, weight, bias=None):
    geometry = (op.strides, op.pads, op.dilation, op.output_padding)
    return _biased(call("conv_transpose", x, weight, *geometry), bias)


def max_pool2d(op, x):
    return call("over_windows", x, "-jnp.inf", "lax.max", *_windows(op, x))


def _windows(op, x):
    return op.window, op.steps, op.pads([x.type])


def avg_pool2d(op, x):
    if op.count_include_pad or not any(map(any, op.pads([x.type]))):
        return call("over_windows", x, "0.0", "lax.add", *_windows(op, x)) + (
            f" / {prod(op.window)}"
        )
    return call("window_means", x, *_windows(op, x))


def global_avg_pool(op, x):
    return f"{x}.mean(axis=(1, 2))"


def global_max_pool(op, x):
    return call("global_max_pool", x)


def adaptive_avg_pool2d(op, x):
    return call("adaptive_avg_pool", x, *map(tuple, op.windows([x.type])))


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
    return f"jnp.concatenate([{', '.join(joined)}], axis={_axis(op.axis, batched)})"


def _axis(axis, x):
    """An example's axis -> the array's."""
    return axis % len(x.shape) + 1


def _for_each(batched, constant):
    """A learned constant once for every example."""
    return f"jnp.broadcast_to({constant}, (len({batched}), *{constant}.shape))"


def mean(op, x):
    axes = tuple(_axis(axis, x) for axis in op.axes)
    return f"{x}.mean(axis={axes if len(axes) > 1 else axes[0]})"


def relu(op, x):
    return call("jax.nn.relu", x)


def relu6(op, x):
    return call("clipped_to_6", x)


def leaky_relu(op, x):
    """The derivative of `jax.nn.leaky_relu` at 0 is 1."""
    return f"jnp.where({x} > 0, {x}, {op.slope} * {x})"


def elu(op, x):
    return call("jax.nn.elu", x, op.alpha)


def gelu(op, x):
    return call("jax.nn.gelu", x, approximate=op.approximation == "tanh")


def silu(op, x):
    return call("jax.nn.silu", x)


def hardswish(op, x):
    return f"{x} * clipped_to_6({x} + 3) / 6"


def sigmoid(op, x):
    return call("jax.nn.sigmoid", x)


def tanh(op, x):
    return call("jnp.tanh", x)


def softmax(op, x):
    return call("jax.nn.softmax", x)


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
    return f"jnp.take({weight}, {ids}, axis=0)"


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
