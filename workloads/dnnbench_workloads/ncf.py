"""Neural collaborative filtering: will this user like that item?"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Synthetic
from dnnbench.spec.losses import BceWithLogits
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.workload import Task, Workload

TINY = {"users": 50, "items": 30, "factors": 8, "width": 32, "batch": 64}


def ncf(
    users: int = 138493,
    items: int = 26744,
    factors: int = 64,
    width: int = 256,
    batch: int = 2048,
) -> Workload:
    """NCF: matrix factorisation beside a perceptron of 256-256-128-64, in the sizes of MLPerf
    on MovieLens 20M.

    Its data are made up: no ratings ship with any library here.
    Source: He et al. 2017, arXiv 1708.05031.
    """
    net = Builder("ncf")
    user = net.input("user", (), "int32")
    item = net.input("item", (), "int32")
    user_factors = _row(net, user, users, factors, "user_factors")
    item_factors = _row(net, item, items, factors, "item_factors")
    x = net.mul(user_factors, item_factors)
    user_table = _row(net, user, users, width // 2, "user_table")
    item_table = _row(net, item, items, width // 2, "item_table")
    y = net.concat(user_table, item_table)
    for layer, units in enumerate((width, width // 2, width // 4)):
        y = net.relu(net.dense(y, units=units, name=f"fc{layer}"))
    model = net.build(net.dense(net.concat(x, y), units=1, name="logit"))
    task = Task(
        loss=BceWithLogits(),
        optimizer=Adam(learning_rate=5e-4),
        data=Synthetic(examples=max(batch, 20)),
    )
    return Workload(name="ncf", model=model, task=task, batch_size=batch)


def _row(net: Builder, ids: str, rows: int, features: int, name: str) -> str:
    return net.embedding(ids, vocabulary=rows, features=features, name=name)
