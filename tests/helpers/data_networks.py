"""Small networks that read sequences and tables."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import CrossEntropy, Mse
from dnnbench.spec.workload import Task, Workload

T, IGNORED = 24, -1
EVERY = {"tokens": "int32", "segments": "int32", "mask": "bool"}


def language(data, inputs=("tokens",), vocabulary=257, ignored=None, loss=None, length=T):
    """A network that reads every input; its attention takes the mask."""
    net = Builder("language")
    ids = [net.input(name, (length,), EVERY.get(name, "int32")) for name in inputs]
    tables = [net.embedding(i, vocabulary=vocabulary, features=4) for i in ids if i != "mask"]
    x = net.add(*tables) if len(tables) > 1 else tables[0]
    masks = [i for i in ids if i == "mask"]
    x = net.attention(x, x, x, *masks, heads=2)
    task = Task(data=data, loss=loss or CrossEntropy(ignored=ignored))
    return Workload(name="language", model=net.build(net.dense(x, units=vocabulary)), task=task)


def flat(units=3, loss=None, features=13, data=None):
    net = Builder("flat")
    model = net.build(net.dense(net.input("features", (features,)), units=units))
    metric = "loss" if isinstance(loss, Mse) else "accuracy"
    return Workload(
        name="flat", model=model, task=Task(data=data, loss=loss or CrossEntropy(), metric=metric)
    )
