"""The networks as modules of Flax NNX."""

from itertools import pairwise

import jax.numpy as jnp
from flax import nnx


class Mlp(nnx.Module):
    def __init__(self, image=28, hidden=128, layers=2, classes=10, *, rngs):
        features = (image * image, *[hidden] * layers)
        self.hidden = nnx.List([nnx.Linear(n, m, rngs=rngs) for n, m in pairwise(features)])
        self.logits = nnx.Linear(hidden, classes, rngs=rngs)

    def __call__(self, image):
        x = image.reshape(len(image), -1)
        for layer in self.hidden:
            x = nnx.relu(layer(x))
        return self.logits(x)


class FeedForward(nnx.Module):
    def __init__(self, width, approximate, rngs):
        self.up = nnx.Linear(width, 4 * width, rngs=rngs)
        self.down = nnx.Linear(4 * width, width, rngs=rngs)
        self.approximate = approximate

    def __call__(self, x):
        return self.down(nnx.gelu(self.up(x), self.approximate))


class Block(nnx.Module):
    """Of a transformer.  first: whether norms come before what they norm."""

    def __init__(self, width, heads, epsilon, approximate, dropout, first, rngs):
        self.attention = nnx.MultiHeadAttention(heads, width, decode=False, rngs=rngs)
        self.feed_forward = FeedForward(width, approximate, rngs)
        self.norm1, self.norm2 = (
            nnx.LayerNorm(width, epsilon=epsilon, rngs=rngs) for _ in range(2)
        )
        self.dropout1, self.dropout2 = (nnx.Dropout(dropout, rngs=rngs) for _ in range(2))
        self.first = first

    def __call__(self, x, mask):
        if self.first:
            x = x + self.dropout1(self.attention(self.norm1(x), mask=mask))
            return x + self.dropout2(self.feed_forward(self.norm2(x)))
        x = self.norm1(x + self.dropout1(self.attention(x, mask=mask)))
        return self.norm2(x + self.dropout2(self.feed_forward(x)))


class Bert(nnx.Module):
    def __init__(self, tokens=128, positions=512, vocabulary=30522, layers=12, width=768, heads=12,
                 dropout=0.1, *, rngs):  # fmt: skip
        self.token_table = nnx.Embed(vocabulary, width, rngs=rngs)
        self.segment_table = nnx.Embed(2, width, rngs=rngs)
        self.positions = nnx.Embed(positions, width, rngs=rngs)
        self.norm = nnx.LayerNorm(width, epsilon=1e-12, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        form = width, heads, 1e-12, False, dropout, False
        self.layers = nnx.List([Block(*form, rngs) for _ in range(layers)])
        self.transform = nnx.Linear(width, width, rngs=rngs)
        self.transform_norm = nnx.LayerNorm(width, epsilon=1e-12, rngs=rngs)
        self.bias = nnx.Param(jnp.zeros(vocabulary))

    def __call__(self, tokens, segments, mask):
        x = self.token_table(tokens) + self.segment_table(segments)
        x = self.dropout(self.norm(x + self.positions(jnp.arange(tokens.shape[1]))))
        for layer in self.layers:
            x = layer(x, mask[:, None, None])
        x = self.transform_norm(nnx.gelu(self.transform(x), False))
        return self.token_table.attend(x) + self.bias[...]


class Gpt2(nnx.Module):
    def __init__(self, tokens=1024, positions=1024, vocabulary=50257, layers=12, width=768,
                 heads=12, dropout=0.1, *, rngs):  # fmt: skip
        self.token_table = nnx.Embed(vocabulary, width, rngs=rngs)
        self.positions = nnx.Embed(positions, width, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        form = width, heads, 1e-5, True, dropout, True
        self.layers = nnx.List([Block(*form, rngs) for _ in range(layers)])
        self.norm = nnx.LayerNorm(width, epsilon=1e-5, rngs=rngs)

    def __call__(self, tokens):
        x = self.token_table(tokens) + self.positions(jnp.arange(tokens.shape[1]))
        x, seen = self.dropout(x), nnx.make_causal_mask(tokens, dtype=bool)
        for layer in self.layers:
            x = layer(x, seen)
        return self.token_table.attend(self.norm(x))


class LstmLm(nnx.Module):
    def __init__(self, tokens=35, vocabulary=10000, units=650, layers=2, dropout=0.5, *, rngs):
        self.token_table = nnx.Embed(vocabulary, units, rngs=rngs)
        cells = [nnx.OptimizedLSTMCell(units, units, rngs=rngs) for _ in range(layers)]
        self.lstm = nnx.List([nnx.RNN(cell, rngs=rngs) for cell in cells])
        self.dropout = nnx.Dropout(dropout, rngs=rngs)
        self.logits = nnx.Linear(units, vocabulary, rngs=rngs)

    def __call__(self, tokens):
        x = self.dropout(self.token_table(tokens))
        zeros = jnp.zeros((len(x), x.shape[-1]))
        for layer in self.lstm:
            x = self.dropout(layer(x, initial_carry=(zeros, zeros)))
        return self.logits(x)


NETWORKS = {"mlp": Mlp, "bert_base": Bert, "gpt2_small": Gpt2, "lstm_lm": LstmLm}
