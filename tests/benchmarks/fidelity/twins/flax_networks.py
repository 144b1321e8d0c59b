"""The networks as modules of flax.linen.

A submodule's name is that of dnnbench's node.  training: whether batch norm and dropout train.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from flax import linen as nn

from .sizes import fewer, scaled


class Mlp(nn.Module):
    image: int = 28
    hidden: int = 512
    layers: int = 2
    classes: int = 10

    @nn.compact
    def __call__(self, inputs, training):
        x = inputs["image"].reshape(len(inputs["image"]), -1)
        for i in range(1, self.layers + 1):
            x = nn.relu(nn.Dense(self.hidden, name=f"fc{i}")(x))
        return nn.Dense(self.classes, name="logits")(x)


class ConvNorm(nn.Module):
    filters: int
    kernel: int
    stride: int = 1
    groups: int = 1

    @nn.compact
    def __call__(self, x, training):
        x = conv(self.filters, self.kernel, self.stride, self.groups)(x)
        return norm(training)(x)


def conv(filters, kernel, stride=1, groups=1):
    """Padded on both sides alike."""
    n = kernel // 2
    return nn.Conv(
        filters, (kernel, kernel), stride, ((n, n), (n, n)), feature_group_count=groups,
        use_bias=False, name="conv",
    )  # fmt: skip


def norm(training):
    return nn.BatchNorm(not training, momentum=0.9, epsilon=1e-5, name="norm")


def pooled(x):
    return nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))


class Residual(nn.Module):
    filters: int
    stride: int

    @nn.compact
    def __call__(self, x, training):
        y = nn.relu(ConvNorm(self.filters, 3, self.stride, name="conv1")(x, training))
        y = ConvNorm(self.filters, 3, name="conv2")(y, training)
        if self.stride > 1:
            x = ConvNorm(self.filters, 1, self.stride, name="downsample")(x, training)
        return nn.relu(y + x)


class ResNet18(nn.Module):
    image: int = 224
    width: float = 1.0
    depth: float = 1.0
    classes: int = 1000

    @nn.compact
    def __call__(self, inputs, training):
        first = ConvNorm(scaled(64, self.width), 7, 2, name="conv1")
        x = pooled(nn.relu(first(inputs["image"], training)))
        for stage in range(1, 5):
            filters = scaled(32 * 2**stage, self.width)
            for i in range(fewer(2, self.depth)):
                stride = 2 if stage > 1 and i == 0 else 1
                x = Residual(filters, stride, name=f"layer{stage}.{i}")(x, training)
        return nn.Dense(self.classes, name="fc")(x.mean((1, 2)))


class Inverted(nn.Module):
    expansion: int
    filters: int
    stride: int

    @nn.compact
    def __call__(self, x, training):
        y, wide = x, self.expansion * x.shape[-1]
        if self.expansion > 1:
            y = nn.relu6(ConvNorm(wide, 1, name="expand")(y, training))
        depthwise = ConvNorm(wide, 3, self.stride, wide, name="depthwise")
        y = nn.relu6(depthwise(y, training))
        y = ConvNorm(self.filters, 1, name="project")(y, training)
        return x + y if self.stride == 1 and x.shape[-1] == self.filters else y


class MobileNetV2(nn.Module):
    image: int = 224
    width: float = 1.0
    depth: float = 1.0
    classes: int = 1000
    dropout: float = 0.2
    stages: Sequence[tuple[int, ...]] = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
        (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip

    @nn.compact
    def __call__(self, inputs, training):
        stem = ConvNorm(scaled(32, self.width), 3, 2, name="stem")
        x = nn.relu6(stem(inputs["image"], training))
        for stage, (expansion, wanted, count, first) in enumerate(self.stages, start=1):
            for i in range(fewer(count, self.depth)):
                place = expansion, scaled(wanted, self.width), first if i == 0 else 1
                x = Inverted(*place, name=f"stage{stage}.{i}")(x, training)
        head = ConvNorm(scaled(1280, max(self.width, 1.0)), 1, name="head")
        x = nn.relu6(head(x, training)).mean((1, 2))
        x = nn.Dropout(self.dropout)(x, deterministic=not training)
        return nn.Dense(self.classes, name="fc")(x)


class NormConv(nn.Module):
    filters: int
    kernel: int

    @nn.compact
    def __call__(self, x, training):
        return conv(self.filters, self.kernel)(nn.relu(norm(training)(x)))


class Last(nn.Module):
    @nn.compact
    def __call__(self, x, training):
        return norm(training)(x)


class DenseNet121(nn.Module):
    image: int = 224
    width: float = 1.0
    depth: float = 1.0
    classes: int = 1000

    @nn.compact
    def __call__(self, inputs, training):
        growth, channels = scaled(32, self.width), scaled(64, self.width)
        stem = ConvNorm(channels, 7, 2, name="stem")
        x = pooled(nn.relu(stem(inputs["image"], training)))
        for block, count in enumerate((6, 12, 24, 16), start=1):
            if block > 1:
                channels //= 2
                x = NormConv(channels, 1, name=f"transition{block - 1}")(x, training)
                x = nn.avg_pool(x, (2, 2), (2, 2))
            for i in range(fewer(count, self.depth)):
                name = f"dense{block}.{i}"
                y = NormConv(4 * growth, 1, name=f"{name}.conv1")(x, training)
                y = NormConv(growth, 3, name=f"{name}.conv2")(y, training)
                x = jnp.concatenate((x, y), -1)
                channels += growth
        x = nn.relu(Last(name="last")(x, training)).mean((1, 2))
        return nn.Dense(self.classes, name="fc")(x)


class Layer(nn.Module):
    """Of a transformer: norms behind each half as BERT has them, or before it as GPT-2."""

    heads: int
    dropout: float
    epsilon: float
    causal: bool

    @nn.compact
    def __call__(self, x, mask, training):
        width = x.shape[-1]
        attention = nn.MultiHeadDotProductAttention(self.heads, name="attention")
        up, down = nn.Dense(4 * width, name="up"), nn.Dense(width, name="down")
        norm1, norm2 = (nn.LayerNorm(self.epsilon, name=name) for name in ("norm1", "norm2"))

        def thinned(x):
            return nn.Dropout(self.dropout)(x, deterministic=not training)

        def feed_forward(x):
            return down(nn.gelu(up(x), self.causal))

        if self.causal:
            x = x + thinned(attention(norm1(x), mask=mask))
            return x + thinned(feed_forward(norm2(x)))
        x = norm1(x + thinned(attention(x, mask=mask)))
        return norm2(x + thinned(feed_forward(x)))


class Bert(nn.Module):
    tokens: int = 128
    positions: int = 512
    vocabulary: int = 30522
    layers: int = 12
    width: int = 768
    heads: int = 12
    dropout: float = 0.1

    @nn.compact
    def __call__(self, inputs, training):
        table = nn.Embed(self.vocabulary, self.width, name="token_table")
        x = table(inputs["tokens"])
        x += nn.Embed(2, self.width, name="segment_table")(inputs["segments"])
        x += nn.Embed(self.positions, self.width, name="positions")(jnp.arange(x.shape[1]))
        x = nn.LayerNorm(1e-12, name="norm")(x)
        x = nn.Dropout(self.dropout)(x, deterministic=not training)
        mask = inputs["mask"][:, None, None]
        for i in range(self.layers):
            x = Layer(self.heads, self.dropout, 1e-12, False, name=f"layer{i}")(x, mask, training)
        x = nn.gelu(nn.Dense(self.width, name="transform")(x), False)
        x = nn.LayerNorm(1e-12, name="transform_norm")(x)
        return table.attend(x) + self.param("logits.bias", nn.initializers.zeros, self.vocabulary)


class Gpt2(nn.Module):
    tokens: int = 1024
    positions: int = 1024
    vocabulary: int = 50257
    layers: int = 12
    width: int = 768
    heads: int = 12
    dropout: float = 0.1

    @nn.compact
    def __call__(self, inputs, training):
        table = nn.Embed(self.vocabulary, self.width, name="token_table")
        x = table(inputs["tokens"])
        x += nn.Embed(self.positions, self.width, name="positions")(jnp.arange(x.shape[1]))
        x = nn.Dropout(self.dropout)(x, deterministic=not training)
        mask = nn.make_causal_mask(inputs["tokens"])
        for i in range(self.layers):
            x = Layer(self.heads, self.dropout, 1e-5, True, name=f"layer{i}")(x, mask, training)
        return table.attend(nn.LayerNorm(1e-5, name="norm")(x))


class LstmLanguageModel(nn.Module):
    tokens: int = 35
    vocabulary: int = 10000
    units: int = 650
    layers: int = 2
    dropout: float = 0.5

    @nn.compact
    def __call__(self, inputs, training):
        def thinned(x):
            return nn.Dropout(self.dropout)(x, deterministic=not training)

        x = thinned(nn.Embed(self.vocabulary, self.units, name="token_table")(inputs["tokens"]))
        for i in range(self.layers):
            x = thinned(nn.RNN(nn.OptimizedLSTMCell(self.units, name=f"lstm{i}"))(x))
        return nn.Dense(self.vocabulary, name="logits")(x)


class GruSeq2seq(nn.Module):
    tokens: int = 30
    vocabulary: int = 15000
    features: int = 500
    units: int = 1000
    layers: int = 2

    @nn.compact
    def __call__(self, inputs, training):
        x = nn.Embed(self.vocabulary, self.features, name="source_table")(inputs["source"])
        y = nn.Embed(self.vocabulary, self.features, name="target_table")(inputs["target"])
        for i in range(self.layers):
            last, x = nn.RNN(nn.GRUCell(self.units, name=f"encoder{i}"), return_carry=True)(x)
            y = nn.RNN(nn.GRUCell(self.units, name=f"decoder{i}"))(y, initial_carry=last)
        return nn.Dense(self.vocabulary, name="logits")(y)


NETWORKS = {
    "mlp": Mlp,
    "resnet18": ResNet18,
    "mobilenet_v2": MobileNetV2,
    "densenet121": DenseNet121,
    "bert_base": Bert,
    "gpt2_small": Gpt2,
    "lstm_lm": LstmLanguageModel,
    "gru_seq2seq": GruSeq2seq,
}
