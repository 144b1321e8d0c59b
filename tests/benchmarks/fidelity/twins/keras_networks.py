"""The networks as Keras models, in keras.applications' manner and KerasHub's.

A layer's name is that of dnnbench's node.
"""

import keras
from keras import layers, ops

from .sizes import fewer, scaled


def mlp(image=28, hidden=512, layers_=2, classes=10):
    start = keras.Input((image, image, 1), name="image")
    x = layers.Flatten()(start)
    for i in range(1, layers_ + 1):
        x = layers.Dense(hidden, activation="relu", name=f"fc{i}")(x)
    return keras.Model(start, layers.Dense(classes, name="logits")(x))


def conv(x, name, filters, kernel, stride=1):
    """Padded on both sides alike, as keras.applications pads where a convolution strides."""
    if stride > 1 and kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2)(x)
    padding = "valid" if stride > 1 else "same"
    return layers.Conv2D(filters, kernel, stride, padding, use_bias=False, name=name)(x)


def norm(x, name):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}.norm")(x)


def conv_norm(x, name, filters, kernel, stride=1):
    return norm(conv(x, name, filters, kernel, stride), name)


def depthwise_norm(x, name, stride):
    if stride > 1:
        x = layers.ZeroPadding2D(1)(x)
    padding = "valid" if stride > 1 else "same"
    return norm(layers.DepthwiseConv2D(3, stride, padding, use_bias=False, name=name)(x), name)


def pooled(x):
    return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))


def residual(x, name, filters, stride):
    y = layers.ReLU()(conv_norm(x, f"{name}.conv1", filters, 3, stride))
    y = conv_norm(y, f"{name}.conv2", filters, 3)
    if stride > 1:
        x = conv_norm(x, f"{name}.downsample", filters, 1, stride)
    return layers.ReLU()(layers.Add()([y, x]))


def resnet18(image=224, width=1.0, depth=1.0, classes=1000):
    start = keras.Input((image, image, 3), name="image")
    x = pooled(layers.ReLU()(conv_norm(start, "conv1", scaled(64, width), 7, 2)))
    for stage in range(1, 5):
        filters = scaled(32 * 2**stage, width)
        for i in range(fewer(2, depth)):
            x = residual(x, f"layer{stage}.{i}", filters, 2 if stage > 1 and i == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(start, layers.Dense(classes, name="fc")(x))


def inverted(x, name, expansion, filters, stride):
    channels, y = x.shape[-1], x
    if expansion > 1:
        y = layers.ReLU(6.0)(conv_norm(y, f"{name}.expand", expansion * channels, 1))
    y = layers.ReLU(6.0)(depthwise_norm(y, f"{name}.depthwise", stride))
    y = conv_norm(y, f"{name}.project", filters, 1)
    return layers.Add()([x, y]) if stride == 1 and channels == filters else y


STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip


def mobilenet_v2(image=224, width=1.0, depth=1.0, classes=1000, dropout=0.2):
    start = keras.Input((image, image, 3), name="image")
    x = layers.ReLU(6.0)(conv_norm(start, "stem", scaled(32, width), 3, 2))
    for stage, (expansion, wanted, count, first) in enumerate(STAGES, start=1):
        for i in range(fewer(count, depth)):
            stride = first if i == 0 else 1
            x = inverted(x, f"stage{stage}.{i}", expansion, scaled(wanted, width), stride)
    x = layers.ReLU(6.0)(conv_norm(x, "head", scaled(1280, max(width, 1.0)), 1))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(start, layers.Dense(classes, name="fc")(x))


def norm_conv(x, name, filters, kernel):
    return conv(layers.ReLU()(norm(x, name)), name, filters, kernel)


def densenet121(image=224, width=1.0, depth=1.0, classes=1000):
    start, growth, channels = keras.Input((image, image, 3)), scaled(32, width), scaled(64, width)
    x = pooled(layers.ReLU()(conv_norm(start, "stem", channels, 7, 2)))
    for block, count in enumerate((6, 12, 24, 16), start=1):
        if block > 1:
            channels //= 2
            x = layers.AveragePooling2D(2)(norm_conv(x, f"transition{block - 1}", channels, 1))
        for i in range(fewer(count, depth)):
            y = norm_conv(x, f"dense{block}.{i}.conv1", 4 * growth, 1)
            y = norm_conv(y, f"dense{block}.{i}.conv2", growth, 3)
            x = layers.Concatenate()([x, y])
            channels += growth
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(norm(x, "last")))
    return keras.Model(start, layers.Dense(classes, name="fc")(x))


class Positions(layers.Layer):
    """Adds a row of its table to every position."""

    def __init__(self, positions, name):
        super().__init__(name=name)
        self.count = positions

    def build(self, shape):
        self.table = self.add_weight(name="embeddings", shape=(self.count, shape[-1]))

    def call(self, x):
        return x + self.table[: x.shape[1]]


class Tied(layers.Layer):
    """Products with the rows of a table of tokens."""

    def __init__(self, table, vocabulary, bias, name):
        super().__init__(name=name)
        self.table, self.vocabulary, self.biased = table, vocabulary, bias

    def build(self, shape):
        if self.biased:
            self.bias = self.add_weight(name="bias", shape=(self.vocabulary,), initializer="zeros")

    def call(self, x):
        y = ops.matmul(x, ops.transpose(self.table.embeddings))
        return y + self.bias if self.biased else y


def attention(x, name, heads, mask=None, causal=False):
    """Its parts are called query, key, value and attention_output."""
    layer = layers.MultiHeadAttention(heads, x.shape[-1] // heads, name=name)
    return layer(x, x, attention_mask=mask, use_causal_mask=causal)


def feed_forward(x, name, gelu):
    y = layers.Dense(4 * x.shape[-1], activation=gelu, name=f"{name}.up")(x)
    return layers.Dense(x.shape[-1], name=f"{name}.down")(y)


def erf_gelu(x):
    return keras.activations.gelu(x, approximate=False)


def tanh_gelu(x):
    return keras.activations.gelu(x, approximate=True)


def bert_base(tokens=128, positions=512, vocabulary=30522, layers_=12, width=768, heads=12,
              dropout=0.1):  # fmt: skip
    def layer_norm(name):
        return layers.LayerNormalization(epsilon=1e-12, name=name)

    names = (("tokens", "int32"), ("segments", "int32"), ("mask", "bool"))
    ids, segments, mask = (keras.Input((tokens,), name=name, dtype=kind) for name, kind in names)
    table = layers.Embedding(vocabulary, width, name="token_table")
    x = table(ids) + layers.Embedding(2, width, name="segment_table")(segments)
    x = layers.Dropout(dropout)(layer_norm("norm")(Positions(positions, "positions")(x)))
    seen = ops.expand_dims(mask, 1)
    for i in range(layers_):
        y = layers.Dropout(dropout)(attention(x, f"layer{i}", heads, seen))
        x = layer_norm(f"layer{i}.norm1")(x + y)
        y = layers.Dropout(dropout)(feed_forward(x, f"layer{i}", erf_gelu))
        x = layer_norm(f"layer{i}.norm2")(x + y)
    x = layers.Dense(width, activation=erf_gelu, name="transform")(x)
    x = layer_norm("transform_norm")(x)
    logits = Tied(table, vocabulary, True, "logits")(x)
    return keras.Model({"tokens": ids, "segments": segments, "mask": mask}, logits)


def gpt2_small(tokens=1024, positions=1024, vocabulary=50257, layers_=12, width=768, heads=12,
               dropout=0.1):  # fmt: skip
    def layer_norm(name):
        return layers.LayerNormalization(epsilon=1e-5, name=name)

    ids = keras.Input((tokens,), name="tokens", dtype="int32")
    table = layers.Embedding(vocabulary, width, name="token_table")
    x = layers.Dropout(dropout)(Positions(positions, "positions")(table(ids)))
    for i in range(layers_):
        y = attention(layer_norm(f"layer{i}.norm1")(x), f"layer{i}", heads, causal=True)
        x = x + layers.Dropout(dropout)(y)
        y = feed_forward(layer_norm(f"layer{i}.norm2")(x), f"layer{i}", tanh_gelu)
        x = x + layers.Dropout(dropout)(y)
    return keras.Model(ids, Tied(table, vocabulary, False, "logits")(layer_norm("norm")(x)))


def lstm_lm(tokens=35, vocabulary=10000, units=650, layers_=2, dropout=0.5):
    ids = keras.Input((tokens,), name="tokens", dtype="int32")
    x = layers.Embedding(vocabulary, units, name="token_table")(ids)
    x = layers.Dropout(dropout)(x) if dropout else x
    for i in range(layers_):
        x = layers.LSTM(units, return_sequences=True, name=f"lstm{i}")(x)
        x = layers.Dropout(dropout)(x) if dropout else x
    return keras.Model(ids, layers.Dense(vocabulary, name="logits")(x))


class OfNewState(keras.constraints.Constraint):
    """Keeps the second biases of a GRU's gates at zero, where dnnbench's layer has none."""

    def __call__(self, bias):
        first, second = bias[:1], bias[1:]
        gates = second.shape[1] // 3 * 2
        kept = ops.concatenate([ops.zeros_like(second[:, :gates]), second[:, gates:]], 1)
        return ops.concatenate([first, kept], 0)


def gru_seq2seq(tokens=30, vocabulary=15000, features=500, units=1000, layers_=2):
    source, target = (
        keras.Input((tokens,), name=name, dtype="int32") for name in ("source", "target")
    )
    x = layers.Embedding(vocabulary, features, name="source_table")(source)
    y = layers.Embedding(vocabulary, features, name="target_table")(target)

    def gru(name, **options):
        return layers.GRU(
            units, return_sequences=True, bias_constraint=OfNewState(), name=name, **options
        )

    for i in range(layers_):
        x, last = gru(f"encoder{i}", return_state=True)(x)
        y = gru(f"decoder{i}")(y, initial_state=last)
    logits = layers.Dense(vocabulary, name="logits")(y)
    return keras.Model({"source": source, "target": target}, logits)


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
