"""Networks that the cases of dnnbench's own conformance kit do not have."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum, Sgd, WarmupCosine
from dnnbench.spec.workload import Task, Workload


def clipped_embedding():
    """Ids that repeat, and gradients that are clipped by their norm."""
    net = Builder("clipped_embedding")
    x = net.flatten(
        net.embedding(net.input("ids", (5,), "int32"), vocabulary=4, features=3, name="table")
    )
    model = net.build(net.dense(x, units=5, name="logits"))
    task = Task(optimizer=Momentum(learning_rate=0.2, clip_norm=0.05))
    return Workload(name="clipped_embedding", model=model, task=task, batch_size=4)


def tied_pools():
    """Equal pixels whose gradients meet different elements of a learned offset,
    so that it shows which one got them.
    """
    net = Builder("tied_pools")
    flat = net.conv2d(net.input("image", (6, 6, 1)), filters=2, kernel=(1, 1))
    x = net.add(flat, net.constant("offset", (6, 6, 2)))
    whole = net.global_max_pool(x)
    parts = net.flatten(net.max_pool2d(x, window=(2, 2)))
    return Workload(
        name="tied_pools",
        model=net.build(net.dense(net.concat(whole, parts), units=5)),
        batch_size=4,
    )


def slowly_scheduled():
    """A warm-up that outlasts every check."""
    net = Builder("slowly_scheduled")
    model = net.build(net.dense(net.input("x", (6,)), units=5, name="logits"))
    optimizer = Momentum(learning_rate=0.2, schedule=WarmupCosine(warmup=100, steps=1000))
    return Workload(
        name="slowly_scheduled", model=model, task=Task(optimizer=optimizer), batch_size=4
    )


RARE = 39
"""An id of `embedding_of_rare_ids` that its first three batches do not hold, and the fourth does.
"""


def embedding_of_rare_ids():
    net = Builder("embedding_of_rare_ids")
    x = net.flatten(net.embedding(net.input("ids", (3,), "int32"), vocabulary=40, features=3))
    model = net.build(net.dense(x, units=5, name="logits"))
    return Workload(
        name="embedding_of_rare_ids", model=model, task=Task(optimizer=Sgd()), batch_size=4
    )


def wide_table():
    """More rows than any check looks up: the ids that matter must be put there."""
    net = Builder("wide_table")
    ids = net.input("ids", (5,), "int32")
    x = net.flatten(net.embedding(ids, vocabulary=50_000, features=2, name="table"))
    model = net.build(net.dense(x, units=5, name="logits"))
    return Workload(name="wide_table", model=model, batch_size=4)


CASES = {
    "embedding_of_rare_ids": embedding_of_rare_ids,
    "wide_table": wide_table,
    "slowly_scheduled": slowly_scheduled,
    "clipped_embedding": clipped_embedding,
    "tied_pools": tied_pools,
}
