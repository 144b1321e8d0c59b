"""GPT-2: a decoder of text, in training."""

from typing import Literal

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import PythonSource, Synthetic
from dnnbench.spec.optimizers import AdamW
from dnnbench.spec.workload import Task, Workload

from .transformer import Block

TINY = {
    "tokens": 32,
    "positions": 48,
    "vocabulary": 256,
    "layers": 2,
    "width": 64,
    "heads": 4,
    "batch": 64,
}
TINY |= {"data": "python_source"}


def gpt2_small(
    tokens: int = 1024,
    positions: int = 1024,
    vocabulary: int = 50257,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    batch: int = 1,
    data: Literal["synthetic", "python_source"] = "synthetic",
) -> Workload:
    """GPT-2 small: 12 transformer layers that guess the next token at every position.

    The attention's weights are not thinned by dropout.
    Source: Radford et al. 2019; its released weights.
    """
    block = gpt2_block(width, heads)
    net = Builder("gpt2_small")
    x = embedded(net, block, net.input("tokens", (tokens,), "int32"), vocabulary, positions)
    for layer in range(layers):
        x = block.pre_norm(net, x, f"layer{layer}")
    model = net.build(tied_logits(net, block, x, vocabulary))
    return Workload(name="gpt2_small", model=model, task=_task(data, batch), batch_size=batch)


def gpt2_block(width: int, heads: int) -> Block:
    """Of GPT-2's conventions: causal, tanh form of gelu."""
    return Block(width, heads, hidden=4 * width, dropout=0.1, gelu="tanh", causal=True)


def embedded(
    net: Builder, block: Block, ids: str, vocabulary: int, positions: int, offset: int = 0
) -> str:
    """Rows of the table of tokens, and of positions from `offset` on.
    ids: (N, T)
    returns: (N, T, D)
    """
    x = net.embedding(ids, vocabulary=vocabulary, features=block.width, name="token_table")
    return block.thin(
        net, net.position_embedding(x, positions=positions, offset=offset, name="positions")
    )


def tied_logits(net: Builder, block: Block, x: str, vocabulary: int) -> str:
    """Products with the rows of the table of tokens."""
    x = net.layer_norm(x, epsilon=block.epsilon, name="norm")
    tied = {"weight": "token_table.weight"}
    return net.dense(x, units=vocabulary, transposed=True, bias=False, share=tied, name="logits")


def _task(data: str, batch: int) -> Task:
    if data == "python_source":
        source = PythonSource(examples=8192)
        return Task(optimizer=AdamW(learning_rate=2e-3, clip_norm=1.0), data=source, target=0.5)
    optimizer = AdamW(learning_rate=6e-4, beta2=0.95, weight_decay=0.1, clip_norm=1.0)
    return Task(optimizer=optimizer, data=Synthetic(examples=max(batch, 20)))
