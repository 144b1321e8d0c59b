"""The networks as pure functions of arrays by name.

net: a Net, which holds the arrays, draws dropout, and gathers running statistics in training.
"""

import jax
import jax.numpy as jnp
from jax import lax

from .sizes import fewer, scaled


class Net:
    """Arrays by name; key: what dropout draws from, None outside of training."""

    def __init__(self, arrays, key, dropout=0.0):
        self.arrays, self.key, self.rate = arrays, key, dropout
        self.moved = {}

    def __getitem__(self, name):
        return self.arrays[name]


def dense(net, x, name):
    return x @ net[f"{name}.weight"] + net[f"{name}.bias"]


def mlp(net, inputs, layers=2, **_sizes):
    x = inputs["image"].reshape(len(inputs["image"]), -1)
    for i in range(1, layers + 1):
        x = jax.nn.relu(dense(net, x, f"fc{i}"))
    return dense(net, x, "logits")


def conv(net, x, name, stride=1, groups=1):
    kernel = net[f"{name}.weight"]
    n = kernel.shape[0] // 2
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), ((n, n), (n, n)), feature_group_count=groups,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip


def norm(net, x, name):
    mean, variance = net[f"{name}.norm.mean"], net[f"{name}.norm.variance"]
    if net.key is not None:
        running = {"mean": mean, "variance": variance}
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        for role, now in (("mean", mean), ("variance", variance)):
            net.moved[f"{name}.norm.{role}"] = 0.9 * running[role] + 0.1 * now
    y = (x - mean) * (net[f"{name}.norm.scale"] * lax.rsqrt(variance + 1e-5))
    return y + net[f"{name}.norm.bias"]


def conv_norm(net, x, name, stride=1, groups=1):
    return norm(net, conv(net, x, name, stride, groups), name)


def pooled(x):
    pads = ((0, 0), (1, 1), (1, 1), (0, 0))
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), pads)


def residual(net, x, name, stride):
    y = jax.nn.relu(conv_norm(net, x, f"{name}.conv1", stride))
    y = conv_norm(net, y, f"{name}.conv2")
    x = conv_norm(net, x, f"{name}.downsample", stride) if stride > 1 else x
    return jax.nn.relu(y + x)


def resnet18(net, inputs, depth=1.0, **_sizes):
    x = pooled(jax.nn.relu(conv_norm(net, inputs["image"], "conv1", 2)))
    for stage in range(1, 5):
        for i in range(fewer(2, depth)):
            x = residual(net, x, f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1)
    return dense(net, x.mean((1, 2)), "fc")


def inverted(net, x, name, expands, filters, stride):
    y = jax.nn.relu6(conv_norm(net, x, f"{name}.expand")) if expands else x
    y = jax.nn.relu6(conv_norm(net, y, f"{name}.depthwise", stride, groups=y.shape[-1]))
    y = conv_norm(net, y, f"{name}.project")
    return x + y if stride == 1 and x.shape[-1] == filters else y


STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip


def mobilenet_v2(net, inputs, width=1.0, depth=1.0, **_sizes):
    x = jax.nn.relu6(conv_norm(net, inputs["image"], "stem", 2))
    for stage, (expansion, wanted, count, first) in enumerate(STAGES, start=1):
        for i in range(fewer(count, depth)):
            place = f"stage{stage}.{i}", expansion > 1, scaled(wanted, width)
            x = inverted(net, x, *place, first if i == 0 else 1)
    x = jax.nn.relu6(conv_norm(net, x, "head")).mean((1, 2))
    return dense(net, thinned(net, x), "fc")


def norm_conv(net, x, name):
    return conv(net, jax.nn.relu(norm(net, x, name)), name)


def halved(x):
    y = lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return y / 4


def densenet121(net, inputs, depth=1.0, **_sizes):
    x = pooled(jax.nn.relu(conv_norm(net, inputs["image"], "stem", 2)))
    for block, count in enumerate((6, 12, 24, 16), start=1):
        if block > 1:
            x = halved(norm_conv(net, x, f"transition{block - 1}"))
        for i in range(fewer(count, depth)):
            y = norm_conv(net, x, f"dense{block}.{i}.conv1")
            x = jnp.concatenate((x, norm_conv(net, y, f"dense{block}.{i}.conv2")), -1)
    return dense(net, jax.nn.relu(norm(net, x, "last")).mean((1, 2)), "fc")


def thinned(net, x):
    if net.key is None or not net.rate:
        return x
    net.key, drawn = jax.random.split(net.key)
    return jnp.where(jax.random.bernoulli(drawn, 1 - net.rate, x.shape), x / (1 - net.rate), 0)


def layer_norm(net, x, name, epsilon):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    y = (x - mean) * lax.rsqrt(variance + epsilon)
    return y * net[f"{name}.scale"] + net[f"{name}.bias"]


def attention(net, x, name, heads, **seen):
    shape = (*x.shape[:2], heads, -1)
    parts = (dense(net, x, f"{name}.{part}") for part in ("query", "key", "value"))
    y = jax.nn.dot_product_attention(*(part.reshape(shape) for part in parts), **seen)
    return dense(net, y.reshape(x.shape), f"{name}.projection")


def feed_forward(net, x, name, approximate):
    y = jax.nn.gelu(dense(net, x, f"{name}.up"), approximate)
    return dense(net, y, f"{name}.down")


def bert_base(net, inputs, layers=12, heads=12, **_sizes):
    x = net["token_table.weight"][inputs["tokens"]]
    x += net["segment_table.weight"][inputs["segments"]]
    x += net["positions.weight"][: x.shape[1]]
    x = thinned(net, layer_norm(net, x, "norm", 1e-12))
    seen = inputs["mask"][:, None, None]
    for name in (f"layer{i}" for i in range(layers)):
        y = thinned(net, attention(net, x, name, heads, mask=seen))
        x = layer_norm(net, x + y, f"{name}.norm1", 1e-12)
        y = thinned(net, feed_forward(net, x, name, False))
        x = layer_norm(net, x + y, f"{name}.norm2", 1e-12)
    x = jax.nn.gelu(dense(net, x, "transform"), False)
    x = layer_norm(net, x, "transform_norm", 1e-12)
    return x @ net["token_table.weight"].T + net["logits.bias"]


def gpt2_small(net, inputs, layers=12, heads=12, **_sizes):
    x = net["token_table.weight"][inputs["tokens"]]
    x = thinned(net, x + net["positions.weight"][: x.shape[1]])
    for name in (f"layer{i}" for i in range(layers)):
        y = layer_norm(net, x, f"{name}.norm1", 1e-5)
        x += thinned(net, attention(net, y, name, heads, is_causal=True))
        y = layer_norm(net, x, f"{name}.norm2", 1e-5)
        x += thinned(net, feed_forward(net, y, name, True))
    return layer_norm(net, x, "norm", 1e-5) @ net["token_table.weight"].T


def lstm(net, x, name):
    recurrent = net[f"{name}.recurrent"]

    def step(carried, a):
        h, c = carried
        i, f, g, o = jnp.split(a + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((len(x), recurrent.shape[0]))
    _, every = lax.scan(step, (zeros, zeros), dense(net, x, name).swapaxes(0, 1))
    return every.swapaxes(0, 1)


def lstm_lm(net, inputs, layers=2, **_sizes):
    x = thinned(net, net["token_table.weight"][inputs["tokens"]])
    for i in range(layers):
        x = thinned(net, lstm(net, x, f"lstm{i}"))
    return dense(net, x, "logits")


def gru(net, x, name, h=None):
    """(states after every step, the last one)"""
    recurrent, hidden_bias = net[f"{name}.recurrent"], net[f"{name}.hidden_bias"]

    def step(h, a):
        a_z, a_r, a_n = jnp.split(a, 3, -1)
        u_z, u_r, u_n = jnp.split(h @ recurrent, 3, -1)
        z, r = jax.nn.sigmoid(a_z + u_z), jax.nn.sigmoid(a_r + u_r)
        h = (1 - z) * jnp.tanh(a_n + r * (u_n + hidden_bias)) + z * h
        return h, h

    h = jnp.zeros((len(x), recurrent.shape[0])) if h is None else h
    last, every = lax.scan(step, h, dense(net, x, name).swapaxes(0, 1))
    return every.swapaxes(0, 1), last


def gru_seq2seq(net, inputs, layers=2, **_sizes):
    x = net["source_table.weight"][inputs["source"]]
    y = net["target_table.weight"][inputs["target"]]
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
