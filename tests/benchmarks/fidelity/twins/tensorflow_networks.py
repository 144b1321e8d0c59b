"""The networks in functions of tf.nn, on variables by name, with TensorFlow's fused batch norm.

net: a Net, which holds the variables and gathers running statistics in training.
"""

import tensorflow as tf

from .sizes import fewer, scaled


class Net:
    """Variables by name; training: whether batch norm and dropout train; xla: for whom it is."""

    def __init__(self, variables, training, xla, dropout=0.0):
        self.variables, self.training, self.xla, self.rate = variables, training, xla, dropout
        self.moved = {}

    def __getitem__(self, name):
        return self.variables[name]


def dense(net, x, name):
    rows = x if len(x.shape) == 2 else tf.reshape(x, (-1, x.shape[-1]))
    y = tf.nn.bias_add(tf.matmul(rows, net[f"{name}.weight"]), net[f"{name}.bias"])
    return tf.reshape(y, (*x.shape[:-1], y.shape[-1]))


def mlp(net, inputs, layers=2, **_sizes):
    x = tf.reshape(inputs["image"], (inputs["image"].shape[0], -1))
    for i in range(1, layers + 1):
        x = tf.nn.relu(dense(net, x, f"fc{i}"))
    return dense(net, x, "logits")


def around(n):
    return ((0, 0), (n, n), (n, n), (0, 0))


def conv(net, x, name, stride=1):
    kernel = net[f"{name}.weight"]
    n = kernel.shape[0] // 2
    padding = around(n) if stride > 1 and n else "SAME"
    return tf.nn.conv2d(x, kernel, stride, padding)


def depthwise(net, x, name, stride):
    kernel = tf.transpose(net[f"{name}.weight"], (0, 1, 3, 2))
    x, padding = (tf.pad(x, around(1)), "VALID") if stride > 1 else (x, "SAME")
    return tf.nn.depthwise_conv2d(x, kernel, (1, stride, stride, 1), padding)


def norm(net, x, name):
    scale, bias = net[f"{name}.norm.scale"], net[f"{name}.norm.bias"]
    mean, variance = net[f"{name}.norm.mean"], net[f"{name}.norm.variance"]
    if x.dtype == tf.float64:  # which the fused kernel does not compute in
        return written_out(net, x, name)
    fused = {"x": x, "scale": scale, "offset": bias, "epsilon": 1e-5}
    if not net.training:
        return tf.raw_ops.FusedBatchNormV3(
            **fused, mean=mean, variance=variance, is_training=False
        )[0]
    y, batch_mean, batch_variance, *_ = tf.raw_ops.FusedBatchNormV3(
        **fused, mean=[], variance=[], is_training=True
    )
    net.moved[f"{name}.norm.mean"] = 0.9 * mean + 0.1 * batch_mean
    net.moved[f"{name}.norm.variance"] = 0.9 * variance + 0.1 * batch_variance
    return y


def written_out(net, x, name):
    """The same norm in single ops."""
    mean, variance = net[f"{name}.norm.mean"], net[f"{name}.norm.variance"]
    if net.training:
        running = {"mean": mean, "variance": variance}
        mean, variance = tf.nn.moments(x, (0, 1, 2))
        for role, now in (("mean", mean), ("variance", variance)):
            net.moved[f"{name}.norm.{role}"] = 0.9 * running[role] + 0.1 * now
    scale, bias = net[f"{name}.norm.scale"], net[f"{name}.norm.bias"]
    return tf.nn.batch_normalization(x, mean, variance, bias, scale, 1e-5)


def conv_norm(net, x, name, stride=1):
    return norm(net, conv(net, x, name, stride), name)


def pooled(net, x):
    """Of values that a relu gave, so that no zero beside them is larger."""
    if net.xla:  # which takes no padding by numbers
        return tf.nn.max_pool2d(tf.pad(x, around(1)), 3, 2, "VALID")
    return tf.nn.max_pool2d(x, 3, 2, around(1))


def residual(net, x, name, stride):
    y = tf.nn.relu(conv_norm(net, x, f"{name}.conv1", stride))
    y = conv_norm(net, y, f"{name}.conv2")
    x = conv_norm(net, x, f"{name}.downsample", stride) if stride > 1 else x
    return tf.nn.relu(y + x)


def resnet18(net, inputs, depth=1.0, **_sizes):
    x = pooled(net, tf.nn.relu(conv_norm(net, inputs["image"], "conv1", 2)))
    for stage in range(1, 5):
        for i in range(fewer(2, depth)):
            x = residual(net, x, f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1)
    return dense(net, tf.reduce_mean(x, (1, 2)), "fc")


def inverted(net, x, name, expands, filters, stride):
    y = tf.nn.relu6(conv_norm(net, x, f"{name}.expand")) if expands else x
    y = tf.nn.relu6(norm(net, depthwise(net, y, f"{name}.depthwise", stride), f"{name}.depthwise"))
    y = conv_norm(net, y, f"{name}.project")
    return x + y if stride == 1 and x.shape[-1] == filters else y


STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip


def mobilenet_v2(net, inputs, width=1.0, depth=1.0, **_sizes):
    x = tf.nn.relu6(conv_norm(net, inputs["image"], "stem", 2))
    for stage, (expansion, wanted, count, first) in enumerate(STAGES, start=1):
        for i in range(fewer(count, depth)):
            place = f"stage{stage}.{i}", expansion > 1, scaled(wanted, width)
            x = inverted(net, x, *place, first if i == 0 else 1)
    x = tf.reduce_mean(tf.nn.relu6(conv_norm(net, x, "head")), (1, 2))
    return dense(net, thinned(net, x), "fc")


def norm_conv(net, x, name):
    return conv(net, tf.nn.relu(norm(net, x, name)), name)


def densenet121(net, inputs, depth=1.0, **_sizes):
    x = pooled(net, tf.nn.relu(conv_norm(net, inputs["image"], "stem", 2)))
    for block, count in enumerate((6, 12, 24, 16), start=1):
        if block > 1:
            x = tf.nn.avg_pool2d(norm_conv(net, x, f"transition{block - 1}"), 2, 2, "VALID")
        for i in range(fewer(count, depth)):
            y = norm_conv(net, x, f"dense{block}.{i}.conv1")
            x = tf.concat((x, norm_conv(net, y, f"dense{block}.{i}.conv2")), -1)
    return dense(net, tf.reduce_mean(tf.nn.relu(norm(net, x, "last")), (1, 2)), "fc")


def thinned(net, x):
    return tf.nn.dropout(x, net.rate) if net.training and net.rate else x


def layer_norm(net, x, name, epsilon):
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(
        x, mean, variance, net[f"{name}.bias"], net[f"{name}.scale"], epsilon
    )


def attention(net, x, name, heads, seen):
    n, t, width = x.shape
    parts = (dense(net, x, f"{name}.{part}") for part in ("query", "key", "value"))
    q, k, v = (tf.transpose(tf.reshape(p, (n, t, heads, -1)), (0, 2, 1, 3)) for p in parts)
    scores = tf.matmul(q * (width // heads) ** -0.5, k, transpose_b=True)
    y = tf.matmul(tf.nn.softmax(tf.where(seen, scores, scores.dtype.min)), v)
    y = tf.reshape(tf.transpose(y, (0, 2, 1, 3)), (n, t, width))
    return dense(net, y, f"{name}.projection")


def feed_forward(net, x, name, approximate):
    y = tf.nn.gelu(dense(net, x, f"{name}.up"), approximate)
    return dense(net, y, f"{name}.down")


def bert_base(net, inputs, layers=12, heads=12, **_sizes):
    x = tf.gather(net["token_table.weight"], inputs["tokens"])
    x += tf.gather(net["segment_table.weight"], inputs["segments"])
    x += net["positions.weight"][: x.shape[1]]
    x = thinned(net, layer_norm(net, x, "norm", 1e-12))
    seen = inputs["mask"][:, None, None]
    for name in (f"layer{i}" for i in range(layers)):
        y = thinned(net, attention(net, x, name, heads, seen))
        x = layer_norm(net, x + y, f"{name}.norm1", 1e-12)
        y = thinned(net, feed_forward(net, x, name, False))
        x = layer_norm(net, x + y, f"{name}.norm2", 1e-12)
    x = layer_norm(net, tf.nn.gelu(dense(net, x, "transform")), "transform_norm", 1e-12)
    return tied(net, x) + net["logits.bias"]


def tied(net, x):
    rows = tf.reshape(x, (-1, x.shape[-1]))
    y = tf.matmul(rows, net["token_table.weight"], transpose_b=True)
    return tf.reshape(y, (*x.shape[:-1], -1))


def gpt2_small(net, inputs, layers=12, heads=12, **_sizes):
    x = tf.gather(net["token_table.weight"], inputs["tokens"])
    length = x.shape[1]
    x = thinned(net, x + net["positions.weight"][:length])
    seen = tf.linalg.band_part(tf.ones((length, length), tf.bool), -1, 0)
    for name in (f"layer{i}" for i in range(layers)):
        y = layer_norm(net, x, f"{name}.norm1", 1e-5)
        x += thinned(net, attention(net, y, name, heads, seen))
        y = layer_norm(net, x, f"{name}.norm2", 1e-5)
        x += thinned(net, feed_forward(net, y, name, True))
    return tied(net, layer_norm(net, x, "norm", 1e-5))


def lstm(net, x, name):
    """Unrolled: a step of the loop is not much more than its bookkeeping."""
    gates = dense(net, x, name)
    h = c = tf.zeros((x.shape[0], gates.shape[-1] // 4), gates.dtype)
    every = []
    for a in tf.unstack(gates, axis=1):
        i, f, g, o = tf.split(a + tf.matmul(h, net[f"{name}.recurrent"]), 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        every.append(h)
    return tf.stack(every, 1)


def lstm_lm(net, inputs, layers=2, **_sizes):
    x = thinned(net, tf.gather(net["token_table.weight"], inputs["tokens"]))
    for i in range(layers):
        x = thinned(net, lstm(net, x, f"lstm{i}"))
    return dense(net, x, "logits")


def gru(net, x, name, h=None):
    """Unrolled; (states after every step, the last one)"""
    gates = dense(net, x, name)
    h = tf.zeros((x.shape[0], gates.shape[-1] // 3), gates.dtype) if h is None else h
    every = []
    for a in tf.unstack(gates, axis=1):
        a_z, a_r, a_n = tf.split(a, 3, -1)
        u_z, u_r, u_n = tf.split(tf.matmul(h, net[f"{name}.recurrent"]), 3, -1)
        z, r = tf.sigmoid(a_z + u_z), tf.sigmoid(a_r + u_r)
        n = tf.tanh(a_n + r * (u_n + net[f"{name}.hidden_bias"]))
        h = (1 - z) * n + z * h
        every.append(h)
    return tf.stack(every, 1), h


def gru_seq2seq(net, inputs, layers=2, **_sizes):
    x = tf.gather(net["source_table.weight"], inputs["source"])
    y = tf.gather(net["target_table.weight"], inputs["target"])
    for i in range(layers):
        x, last = gru(net, x, f"encoder{i}")
        y, _ = gru(net, y, f"decoder{i}", last)
    return dense(net, y, "logits")


NETWORKS = {
    "mlp": mlp,
    "resnet18": resnet18,
    "mobilenet_v2": mobilenet_v2,
    "densenet121": densenet121,
    "bert_base": bert_base,
    "gpt2_small": gpt2_small,
    "lstm_lm": lstm_lm,
    "gru_seq2seq": gru_seq2seq,
}
RATES = {"mobilenet_v2": 0.2, "bert_base": 0.1, "gpt2_small": 0.1}
"""Dropout where a network has it by default."""
