"""Functions that scripts of TensorFlow hold as they stand here."""

from math import pi

import numpy as np
import tensorflow as tf

ARRAYS: dict = {}


def group(kind):
    """Variables by name of the file's arrays of one kind: `weights/`, `state/`."""
    names = [name for name in ARRAYS if name.startswith(kind)]
    return {name.removeprefix(kind): tf.Variable(ARRAYS[name]) for name in names}


def zeros_like(w):
    return {name: tf.Variable(tf.zeros_like(p), trainable=False) for name, p in w.items()}


def dense(x, weight, bias=None, transposed=False):
    """x: (N, T, n)   y: (N, T, units)"""
    rows = tf.reshape(x, (-1, x.shape[-1]))
    y = tf.matmul(rows, weight, transpose_b=transposed)
    y = y if bias is None else tf.nn.bias_add(y, bias)
    return tf.reshape(y, (*x.shape[:-1], y.shape[-1]))


def around(pads):
    """Pads of H and W as tf.pad wants them."""
    return [[0, 0], *map(list, pads), [0, 0]]


def depthwise_conv(x, weight, strides, pads):
    """x: (N, H, W, C)   weight: (kh, kw, 1, C m)"""
    height, width, _, filters = weight.shape
    weight = tf.reshape(weight, (height, width, x.shape[-1], filters // x.shape[-1]))
    x = tf.pad(x, around(pads)) if np.any(pads) else x
    if strides[0] == strides[1]:
        return tf.nn.depthwise_conv2d(x, weight, (1, *strides, 1), "VALID")
    dense = tf.nn.depthwise_conv2d(x, weight, (1, 1, 1, 1), "VALID")
    return dense[:, :: strides[0], :: strides[1]]


def grouped_conv(x, weight, strides, padding, groups):
    """x: (N, H, W, C)   weight: (kh, kw, C / groups, F)"""
    return tf.nn.conv2d(x, weight, strides, padding)


def split_conv(x, weight, strides, padding, groups):
    """Group by group: XLA makes plain loops of its own.      x: (N, H, W, C)"""
    pairs = zip(tf.split(x, groups, -1), tf.split(weight, groups, -1), strict=True)
    return tf.concat([tf.nn.conv2d(*pair, strides, padding) for pair in pairs], -1)


def dilated_conv(x, weight, strides, pads, dilation, groups):
    """A plain convolution of each of the interleaved images.      x: (N, H, W, C)"""
    x = tf.pad(x, around(pads))
    filled = [[0, -size % d] for size, d in zip(x.shape[1:3], dilation, strict=True)]
    apart = tf.space_to_batch(x, dilation, filled)  # (N dh dw, H / dh, W / dw, C)
    y = plain_conv(apart, weight, groups)
    together = tf.batch_to_space(y, dilation, filled)  # (N, H', W', F) at stride 1
    return together[:, :: strides[0], :: strides[1]]


def plain_conv(x, weight, groups):
    if groups == 1:
        return tf.nn.conv2d(x, weight, 1, "VALID")
    if groups == x.shape[-1]:
        return depthwise_conv(x, weight, (1, 1), ((0, 0), (0, 0)))
    return grouped_conv(x, weight, 1, "VALID", groups)


def conv_transpose(x, weight, strides, cuts, dilation=(1, 1), extra=(0, 0)):
    """x: (N, H, W, C)   weight: (kh, kw, F, C)   cuts: (lo, hi) of each axis"""
    weight = spread_taps(weight, dilation)
    axes = zip(x.shape[1:3], weight.shape[:2], strides, extra, strict=True)
    full = [(n - 1) * s + k + more for n, k, s, more in axes]
    y = tf.nn.conv2d_transpose(x, weight, (x.shape[0], *full, weight.shape[2]), strides, "VALID")
    (top, bottom), (left, right) = cuts
    return y[:, top : full[0] - bottom, left : full[1] - right]


def spread_taps(weight, dilation):
    """The kernel with zeros between its taps."""
    if dilation == (1, 1):
        return tf.convert_to_tensor(weight)
    height, width, *rest = weight.shape
    rows, columns = dilation
    between = [[0, 0], [0, rows - 1], [0, 0], [0, columns - 1], [0, 0], [0, 0]]
    apart = tf.pad(tf.reshape(weight, (height, 1, width, 1, *rest)), between)
    spread = tf.reshape(apart, (height * rows, width * columns, *rest))
    return spread[: (height - 1) * rows + 1, : (width - 1) * columns + 1]


def window_shares(rows, columns, size):
    """Elements of a window over those that are no padding: (H', W', 1)."""
    return size / np.outer(rows, columns)[..., None]


def padded_max_pool(x, window, strides, pads):
    """XLA has no pool that pads by numbers."""
    lowest = tf.constant(-np.inf, x.dtype)
    padded = tf.pad(x, around(pads), constant_values=lowest)
    return tf.nn.max_pool2d(padded, window, strides, "VALID")


def adaptive_avg_pool(x, rows, columns):
    """Means over (start, stop) of rows, then of columns.      x: (N, H, W, C)"""
    x = tf.stack([tf.reduce_mean(x[:, start:stop], 1) for start, stop in rows], 1)
    return tf.stack([tf.reduce_mean(x[:, :, start:stop], 2) for start, stop in columns], 2)


def leaky_relu(x, slope):
    """tf.nn.leaky_relu keeps its slope in float32."""
    if x.dtype == tf.float64:
        return tf.where(x > 0, x, slope * x)
    return tf.nn.leaky_relu(x, slope)


def elu(x, alpha):
    y = tf.nn.elu(x)
    return tf.where(x > 0, y, alpha * y)


def gelu_by_tanh(x):
    return 0.5 * x * (1 + tf.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)))


def dropout(x, rate, generator, shape):
    """One draw for each element of `shape`, x's first axes."""
    mask = generator.uniform(shape) >= rate
    stretched = tf.reshape(mask, (*shape, *[1] * (len(x.shape) - len(shape))))
    return x * tf.cast(stretched, x.dtype) / (1 - rate)


def batch_norm(x, scale, bias, state, mean, variance, momentum, epsilon, unbiased=False):
    """In training, the variance in two passes; keeps running statistics in `state`."""
    axes = tuple(range(len(x.shape) - 1))
    batch_mean = tf.reduce_mean(x, axes)
    squares = tf.math.squared_difference(x, tf.stop_gradient(batch_mean))
    batch_variance = tf.reduce_mean(squares, axes)
    count = np.prod(x.shape[:-1])
    kept = batch_variance * (count / max(count - 1, 1)) if unbiased else batch_variance
    state[mean] = momentum * state[mean] + (1 - momentum) * batch_mean
    state[variance] = momentum * state[variance] + (1 - momentum) * kept
    return batch_norm_by(x, scale, bias, batch_mean, batch_variance, epsilon)


def batch_norm_by(x, scale, bias, mean, variance, epsilon):
    """By given statistics, as in inference."""
    return (x - mean) * (scale * tf.math.rsqrt(variance + epsilon)) + bias


def layer_norm(x, scale, bias, epsilon):
    return standardised(x, -1, epsilon) * scale + bias


def standardised(x, axes, epsilon):
    """In two passes: TensorFlow's fused kernel takes one."""
    centred = x - tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    return centred * tf.math.rsqrt(variance + epsilon)


def rms_norm(x, scale, epsilon):
    mean_square = tf.reduce_mean(tf.square(x), -1, keepdims=True)
    return x * tf.math.rsqrt(mean_square + epsilon) * scale


def group_norm(x, scale, bias, groups, epsilon):
    """x: (N, ..., C)"""
    grouped = tf.reshape(x, (x.shape[0], -1, groups, x.shape[-1] // groups))
    return tf.reshape(standardised(grouped, (1, 3), epsilon), x.shape) * scale + bias


def lstm(x, weight, recurrent, bias, h=None, c=None, last=False):
    """Gates i, f, g, o.      x: (N, T, I)   y: (N, T, H) or (N, H)"""
    recurrent = tf.convert_to_tensor(recurrent)
    zeros = tf.zeros((x.shape[0], recurrent.shape[0]), x.dtype)

    def step(a, h, c):
        i, f, g, o = tf.split(a + tf.matmul(h, recurrent), 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    first = [zeros if state is None else state for state in (h, c)]
    return over_time(step, dense(x, weight, bias), first, last)


def gru(x, weight, recurrent, bias, hidden_bias, h=None, last=False):
    """Gates z, r, n.      x: (N, T, I)   y: (N, T, H) or (N, H)"""
    recurrent, hidden_bias = tf.convert_to_tensor(recurrent), tf.convert_to_tensor(hidden_bias)
    zeros = tf.zeros((x.shape[0], recurrent.shape[0]), x.dtype)

    def step(a, h):
        a_z, a_r, a_n = tf.split(a, 3, -1)
        u_z, u_r, u_n = tf.split(tf.matmul(h, recurrent), 3, -1)
        z, r = tf.sigmoid(a_z + u_z), tf.sigmoid(a_r + u_r)
        n = tf.tanh(a_n + r * (u_n + hidden_bias))
        return ((1 - z) * n + z * h,)

    return over_time(step, dense(x, weight, bias), [zeros if h is None else h], last)


def over_time(step, x, states, last):
    """states = step(x_t, *states), a loop over t.      x: (N, T, ...)   states: (N, H) each"""
    length, swapped = x.shape[1], tf.transpose(x, (1, 0, 2))
    steps = tf.TensorArray(x.dtype, length, element_shape=swapped.shape[1:], clear_after_read=False)
    kept = tf.TensorArray(x.dtype, length, element_shape=states[0].shape, clear_after_read=False)
    steps = steps.unstack(swapped)

    def body(t, kept, *states):
        states = step(steps.read(t), *states)
        return (t + 1, kept.write(t, states[0]), *states)

    start = (tf.constant(0), kept, *states)
    loop = tf.while_loop(lambda t, *_: t < length, body, start, maximum_iterations=length)
    return loop[2] if last else tf.transpose(loop[1].stack(), (1, 0, 2))


def attention(q, k, v, heads, mask=None, causal=False):
    """q: (N, T, D)   k, v: (N, S, D)   mask: (N, S) or (N, T, S), True = attend"""
    q = q * (q.shape[-1] // heads) ** -0.5
    q, k, v = (
        tf.transpose(tf.reshape(x, (*x.shape[:2], heads, -1)), (0, 2, 1, 3)) for x in (q, k, v)
    )
    scores = tf.matmul(q, k, transpose_b=True)  # (N, heads, T, S)
    seen = None if mask is None else tf.reshape(mask, (mask.shape[0], 1, -1, mask.shape[-1]))
    if causal:
        queries, keys = scores.shape[-2:]
        earlier = tf.constant(np.tri(queries, keys, keys - queries, dtype=bool))
        seen = earlier if seen is None else seen & earlier
    if seen is not None:
        scores = tf.where(seen, scores, tf.constant(-np.inf, scores.dtype))
    y = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3))
    return tf.reshape(y, (y.shape[0], y.shape[1], -1))  # (N, T, D)


def cross_entropy(z, labels, smoothing=0.0, ignored=None):
    """Mean over the labels that count.      z: (N, ..., K)   labels: (N, ...)"""
    if smoothing:
        off = smoothing / z.shape[-1]
        on_value, off_value = tf.constant(1 - smoothing + off, z.dtype), tf.constant(off, z.dtype)
        q = tf.one_hot(labels, z.shape[-1], on_value, off_value)
        each = tf.nn.softmax_cross_entropy_with_logits(q, z)
    else:
        in_range = labels if ignored is None else tf.maximum(labels, 0)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(in_range, z)
    if ignored is None:
        return tf.reduce_mean(each)
    counts = tf.cast(labels != ignored, z.dtype)
    return tf.reduce_sum(each * counts) / tf.reduce_sum(counts)


def gradients_of(tape, loss, w):
    """dL/dp by name, zeros where none flows; a table's, which names rows, becomes an array."""
    zero = tf.UnconnectedGradients.ZERO
    raw = tape.gradient(loss, list(w.values()), unconnected_gradients=zero)
    return dict(zip(w, map(tf.convert_to_tensor, raw), strict=True))


def clipped(gradients, largest):
    """A global norm of at most `largest`."""
    factor = largest / tf.maximum(tf.linalg.global_norm(list(gradients.values())), largest)
    return {name: g * factor for name, g in gradients.items()}


def decayed(gradients, w, decay):
    return {name: g + decay * w[name] for name, g in gradients.items()}


def scheduled(steps, rate, warmup, total, floor):
    """Rises for `warmup` steps, then falls along a cosine; steps count from 1."""
    share = tf.minimum((steps - warmup) / max(total - warmup, 1), 1)
    falling = floor + (1 - floor) * (1 + tf.cos(pi * share)) / 2
    return rate * tf.where(steps <= warmup, steps / max(warmup, 1), falling)


def like(p, value):
    """A number in the parameter's type."""
    return tf.cast(value, p.dtype) if tf.is_tensor(value) else tf.constant(value, p.dtype)


def sgd(w, gradients, rate):
    for name, p in w.items():
        delta = gradients[name]
        tf.raw_ops.ResourceApplyGradientDescent(var=p.handle, alpha=like(p, rate), delta=delta)


def momentum(w, gradients, slots, rate, share, nesterov=False):
    for name, p in w.items():
        tf.raw_ops.ResourceApplyMomentum(
            var=p.handle,
            accum=slots["velocity"][name].handle,
            lr=like(p, rate),
            grad=gradients[name],
            momentum=like(p, share),
            use_nesterov=nesterov,
        )


def rmsprop(w, gradients, slots, rate, decay, epsilon):
    """Written out: ResourceApplyRMSProp has epsilon inside the root."""
    for name, p in w.items():
        v, g = slots["mean_square"][name], gradients[name]
        new_v = decay * v + (1 - decay) * tf.square(g)
        v.assign(new_v, read_value=False)
        p.assign_sub(like(p, rate) * g / (tf.sqrt(new_v) + epsilon), read_value=False)


def adam(w, gradients, slots, steps, rate, b1, b2, epsilon, decay=None):
    """By TensorFlow's own kernel, told a rate and an epsilon that hold the moments' corrections:
    its own are formed in float32.  decay: AdamW's.
    """
    rate = tf.cast(rate, tf.float64)
    for name, p in w.items():
        if decay is not None:
            p.assign(p * like(p, 1 - rate * decay), read_value=False)
        m, v = slots["first_moment"][name], slots["second_moment"][name]
        held1, held2 = (float(p.dtype.as_numpy_dtype(b)) for b in (b1, b2))
        first = 1 - tf.pow(tf.constant(held1, tf.float64), steps)
        second = tf.sqrt(1 - tf.pow(tf.constant(held2, tf.float64), steps))
        tf.raw_ops.ResourceApplyAdam(
            var=p.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=like(p, 0.0),
            beta2_power=like(p, 0.0),
            lr=like(p, rate * second / first),
            beta1=like(p, held1),
            beta2=like(p, held2),
            epsilon=like(p, epsilon * second),
            grad=gradients[name],
        )


def kept(variables):
    return [tf.raw_ops.DeepCopy(x=variable) for variable in variables]


def restore(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(tf.raw_ops.DeepCopy(x=value), read_value=False)


def flat(result):
    """Arrays by `group/name`."""
    arrays = {}
    for kind, value in result.items():
        named = value if isinstance(value, dict) else {None: value}
        for name, x in named.items():
            arrays[kind if name is None else f"{kind}/{name}"] = np.array(x)
    return arrays
