"""BERT: an encoder of text that reads in both directions."""

from typing import Literal

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import PythonSource, Synthetic
from dnnbench.spec.losses import CrossEntropy, Mse
from dnnbench.spec.optimizers import AdamW
from dnnbench.spec.workload import Task, Workload

from .transformer import Block

EPSILON = 1e-12
IGNORED = -1
TINY = {
    "tokens": 32,
    "positions": 48,
    "vocabulary": 257,
    "layers": 2,
    "width": 64,
    "heads": 4,
    "batch": 64,
}
TINY |= {"data": "python_source"}


def bert_base(
    tokens: int = 128,
    positions: int = 512,
    vocabulary: int = 30522,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    head: Literal["masked_language", "pooled"] = "masked_language",
    batch: int = 8,
    data: Literal["synthetic", "python_source"] = "synthetic",
) -> Workload:
    """BERT base: 12 transformer layers that guess hidden tokens.

    The head `masked_language` ties its logits to the table of tokens; `pooled` is the first token's
    feature, for inference. The attention's weights are not thinned by dropout.
    Source: Devlin et al. 2018, arXiv 1810.04805.
    """
    block = Block(width, heads, hidden=4 * width, dropout=0.1, epsilon=EPSILON)
    net = Builder("bert_base")
    ids, segments = (
        net.input("tokens", (tokens,), "int32"),
        net.input("segments", (tokens,), "int32"),
    )
    mask = net.input("mask", (tokens,), "bool")
    x = net.embedding(ids, vocabulary=vocabulary, features=width, name="token_table")
    x = net.add(x, net.embedding(segments, vocabulary=2, features=width, name="segment_table"))
    x = net.position_embedding(x, positions=positions, name="positions")
    x = block.thin(net, net.layer_norm(x, epsilon=EPSILON, name="norm"))
    for layer in range(layers):
        x = block.post_norm(net, x, f"layer{layer}", mask)
    if head == "pooled":
        return _pooled(net, x, width, batch)
    x = net.gelu(net.dense(x, units=width, name="transform"))
    x = net.layer_norm(x, epsilon=EPSILON, name="transform_norm")
    tied = {"weight": "token_table.weight"}
    logits = net.dense(x, units=vocabulary, transposed=True, share=tied, name="logits")
    return Workload(
        name="bert_base", model=net.build(logits), task=_task(data, batch), batch_size=batch
    )


def _pooled(net: Builder, x: str, width: int, batch: int) -> Workload:
    first = net.flatten(net.slice(x, stop=1))
    model = net.build(net.tanh(net.dense(first, units=width, name="pooler"), name="pooled"))
    task = Task(loss=Mse(), metric="loss", data=Synthetic(examples=max(batch, 20)))
    return Workload(name="bert_base", model=model, task=task, batch_size=batch, inference_only=True)


def _task(data: str, batch: int) -> Task:
    loss = CrossEntropy(ignored=IGNORED)
    if data == "python_source":
        source = PythonSource(form="masked", examples=8192)
        return Task(loss=loss, optimizer=AdamW(learning_rate=1e-3), data=source, target=0.38)
    optimizer = AdamW(learning_rate=1e-4, weight_decay=0.01, clip_norm=1.0)
    return Task(loss=loss, optimizer=optimizer, data=Synthetic(examples=max(batch, 20)))
