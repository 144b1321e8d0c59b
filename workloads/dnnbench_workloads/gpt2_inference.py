"""GPT-2 in use: reading a prompt, then writing one token after another, with every layer's keys
and values kept.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Synthetic
from dnnbench.spec.model import Model
from dnnbench.spec.workload import Task, Workload

from .gpt2 import embedded, gpt2_block, tied_logits
from .transformer import Cache

TINY = {
    "tokens": 32,
    "positions": 48,
    "vocabulary": 256,
    "layers": 2,
    "width": 64,
    "heads": 4,
    "batch": 4,
}


def gpt2_small_prefill(
    tokens: int = 1024,
    positions: int = 1024,
    vocabulary: int = 50257,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    batch: int = 1,
) -> Workload:
    """GPT-2 small reading a prompt: the logits of what follows, and every layer's
    keys and values.
    """
    block = gpt2_block(width, heads)
    net = Builder("gpt2_small_prefill")
    x = embedded(net, block, net.input("tokens", (tokens,), "int32"), vocabulary, positions)
    for layer in range(layers):
        x = block.pre_norm(net, x, f"layer{layer}")
    logits = tied_logits(net, block, net.slice(x, start=tokens - 1), vocabulary)
    caches = _of_each_layer(layers, "key", "value")
    return _inference("gpt2_small_prefill", net.build(logits, *caches), batch)


def gpt2_small_decode(
    tokens: int = 256,
    positions: int = 1024,
    vocabulary: int = 50257,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    batch: int = 1,
) -> Workload:
    """GPT-2 small writing one token, the last of `tokens`, with the keys and values of those
    before it given.
    """
    block = gpt2_block(width, heads)
    past = tokens - 1
    net = Builder("gpt2_small_decode")
    x = embedded(net, block, net.input("tokens", (1,), "int32"), vocabulary, positions, offset=past)
    for layer in range(layers):
        x = block.pre_norm(net, x, f"layer{layer}", _past(net, layer, past, width))
    caches = _of_each_layer(layers, "keys", "values")
    logits = tied_logits(net, block, x, vocabulary)
    return _inference("gpt2_small_decode", net.build(logits, *caches), batch)


def _of_each_layer(layers: int, *names: str) -> list[str]:
    nodes = []
    for layer in range(layers):
        nodes += [f"layer{layer}.{name}" for name in names]
    return nodes


def _past(net: Builder, layer: int, length: int, width: int) -> Cache:
    return tuple(
        net.input(f"layer{layer}.past_{part}", (length, width)) for part in ("keys", "values")
    )


def _inference(name: str, model: Model, batch: int) -> Workload:
    task = Task(data=Synthetic(examples=max(batch, 20)))
    return Workload(name=name, model=model, task=task, batch_size=batch, inference_only=True)
