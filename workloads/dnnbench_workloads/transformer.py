"""The blocks that transformers of images and of text share."""

from dataclasses import dataclass
from typing import Literal

from dnnbench.spec.builder import Builder

Cache = tuple[str, str]
"""Keys and values of earlier positions, (N, S, D) each."""


@dataclass(frozen=True)
class Block:
    """Self-attention, then a feed-forward network of every position, each with a residual
    path around it.

    Dropout thins what comes out of both; the attention's weights are not thinned.
    Source: Vaswani et al. 2017.
    """

    width: int
    heads: int
    hidden: int
    dropout: float = 0.0
    epsilon: float = 1e-5
    gelu: Literal["erf", "tanh"] = "erf"
    causal: bool = False

    def pre_norm(self, net: Builder, x: str, name: str, past: Cache | None = None) -> str:
        """x + f(norm(x)), twice: ViT's and GPT-2's order.      x: (N, T, D)"""
        y = net.layer_norm(x, epsilon=self.epsilon, name=f"{name}.norm1")
        x = net.add(x, self.thin(net, self.attention(net, y, name, past=past)))
        y = net.layer_norm(x, epsilon=self.epsilon, name=f"{name}.norm2")
        return net.add(x, self.thin(net, self.feed_forward(net, y, name)))

    def post_norm(self, net: Builder, x: str, name: str, mask: str) -> str:
        """norm(x + f(x)), twice: BERT's order.      x: (N, T, D)   mask: (N, T) bool"""
        x = net.add(x, self.thin(net, self.attention(net, x, name, mask=mask)))
        x = net.layer_norm(x, epsilon=self.epsilon, name=f"{name}.norm1")
        x = net.add(x, self.thin(net, self.feed_forward(net, x, name)))
        return net.layer_norm(x, epsilon=self.epsilon, name=f"{name}.norm2")

    def attention(
        self, net: Builder, x: str, name: str, mask: str | None = None, past: Cache | None = None
    ) -> str:
        """Projections, attention, projection.

        After a cache, `<name>.keys` and `<name>.values` are the longer one.
        """
        parts = ("query", "key", "value")
        q, k, v = (net.dense(x, units=self.width, name=f"{name}.{part}") for part in parts)
        if past:
            k = net.concat(past[0], k, axis=0, name=f"{name}.keys")
            v = net.concat(past[1], v, axis=0, name=f"{name}.values")
        masks = [mask] if mask else []
        y = net.attention(
            q, k, v, *masks, heads=self.heads, causal=self.causal, name=f"{name}.attention"
        )
        return net.dense(y, units=self.width, name=f"{name}.projection")

    def feed_forward(self, net: Builder, x: str, name: str) -> str:
        """D to `hidden` to D."""
        x = net.gelu(net.dense(x, units=self.hidden, name=f"{name}.up"), approximation=self.gelu)
        return net.dense(x, units=self.width, name=f"{name}.down")

    def thin(self, net: Builder, x: str) -> str:
        """Dropout, where there is any."""
        return net.dropout(x, rate=self.dropout) if self.dropout else x
