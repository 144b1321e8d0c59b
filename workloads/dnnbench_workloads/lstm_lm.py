"""Language models of stacked LSTMs."""

from typing import Literal

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import PythonSource, Synthetic
from dnnbench.spec.optimizers import Adam, Sgd
from dnnbench.spec.workload import Task, Workload

TINY = {
    "tokens": 32,
    "vocabulary": 256,
    "units": 64,
    "dropout": 0.1,
    "batch": 64,
    "data": "python_source",
}


def lstm_lm(
    tokens: int = 35,
    vocabulary: int = 10000,
    units: int = 650,
    layers: int = 2,
    dropout: float = 0.5,
    batch: int = 20,
    data: Literal["synthetic", "python_source"] = "synthetic",
) -> Workload:
    """LSTM language model: two layers of 650 units that guess the next token at every position.

    Dropout between layers, not in time.
    Source: Zaremba et al. 2014, arXiv 1409.2329, the medium network.
    """
    net = Builder("lstm_lm")
    x = net.input("tokens", (tokens,), "int32")
    x = net.dropout(
        net.embedding(x, vocabulary=vocabulary, features=units, name="token_table"), rate=dropout
    )
    for layer in range(layers):
        x = net.dropout(net.lstm(x, units=units, name=f"lstm{layer}"), rate=dropout)
    model = net.build(net.dense(x, units=vocabulary, name="logits"))
    return Workload(name="lstm_lm", model=model, task=_task(data, batch), batch_size=batch)


def _task(data: str, batch: int) -> Task:
    if data == "python_source":
        return Task(
            optimizer=Adam(learning_rate=5e-3, clip_norm=5.0),
            data=PythonSource(examples=8192),
            target=0.48,
        )
    return Task(
        optimizer=Sgd(learning_rate=1.0, clip_norm=5.0), data=Synthetic(examples=max(batch, 20))
    )
