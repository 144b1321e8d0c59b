"""Encoder and decoder of sequences."""

from typing import Literal

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Reordered
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.workload import Task, Workload

TINY = {"tokens": 6, "vocabulary": 12, "features": 32, "units": 64}


def gru_seq2seq(
    tokens: int = 30,
    vocabulary: int = 15000,
    features: int = 500,
    units: int = 1000,
    layers: int = 2,
    order: Literal["reversed", "sorted"] = "reversed",
    batch: int = 64,
) -> Workload:
    """GRU encoder and decoder: each layer's last state starts the decoder's layer,
    which says the ids in another order.

    In training and test it reads the right answer up to each position.
    Made data, whose answer can be checked.
    Source: Cho et al. 2014, arXiv 1406.1078; Sutskever et al. 2014, arXiv 1409.3215 (layers).
    """
    net = Builder("gru_seq2seq")
    source, target = (net.input(name, (tokens,), "int32") for name in ("source", "target"))
    x = net.embedding(source, vocabulary=vocabulary, features=features, name="source_table")
    y = net.embedding(target, vocabulary=vocabulary, features=features, name="target_table")
    for layer in range(layers):
        x = net.gru(x, units=units, name=f"encoder{layer}")
        last = net.flatten(net.slice(x, start=tokens - 1))
        y = net.gru(y, last, units=units, name=f"decoder{layer}")
    model = net.build(net.dense(y, units=vocabulary, name="logits"))
    data = Reordered(order=order, examples=max(batch, 8192))
    task = Task(optimizer=Adam(learning_rate=2e-3, clip_norm=5.0), data=data, target=0.98)
    return Workload(name="gru_seq2seq", model=model, task=task, batch_size=batch)
