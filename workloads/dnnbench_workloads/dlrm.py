"""Deep learning recommendation: numbers and categories of an advertisement,
and whether it is clicked.
"""

from collections.abc import Sequence

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Synthetic
from dnnbench.spec.losses import BceWithLogits
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.workload import Task, Workload

TINY = {"numbers": 5, "categories": 4, "rows": 50, "features": 8, "width": 32, "batch": 64}


def dlrm(
    numbers: int = 13,
    categories: int = 26,
    rows: int = 100_000,
    features: int = 16,
    width: int = 512,
    batch: int = 2048,
) -> Workload:
    """DLRM: a perceptron of the numbers, a table for each category, dot products of every pair,
    a perceptron of those.

    The shape is the one for Criteo's Kaggle set, each category hashed to `rows`;
    both triangles of the symmetric products are read. Its data are made up.
    Source: Naumov et al. 2019, arXiv 1906.00091.
    """
    net = Builder("dlrm")
    x = net.input("numbers", (numbers,))
    x = _perceptron(net, x, (width, width // 2, width // 8, features), "bottom")
    embedded = [_category(net, i, rows, features) for i in range(categories)]
    stack = net.reshape(net.concat(x, *embedded), shape=(categories + 1, features))
    products = net.flatten(net.matmul(stack, stack, transpose_b=True, name="products"))
    y = _perceptron(net, net.concat(x, products), (width, width // 2), "top")
    model = net.build(net.dense(y, units=1, name="logit"))
    task = Task(
        loss=BceWithLogits(),
        optimizer=Sgd(learning_rate=0.1),
        data=Synthetic(examples=max(batch, 20)),
    )
    return Workload(name="dlrm", model=model, task=task, batch_size=batch)


def _category(net: Builder, number: int, rows: int, features: int) -> str:
    ids = net.input(f"category{number}", (), "int32")
    return net.embedding(ids, vocabulary=rows, features=features, name=f"table{number}")


def _perceptron(net: Builder, x: str, widths: Sequence[int], name: str) -> str:
    for layer, units in enumerate(widths):
        x = net.relu(net.dense(x, units=units, name=f"{name}{layer}"))
    return x
