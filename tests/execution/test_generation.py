"""What a generation does before its first round."""

import pytest
from dnnbench.execution import generation
from dnnbench.execution.generation import Generation
from dnnbench.execution.pool import WorkerPool
from dnnbench.execution.record import Record
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload


class Seen(Exception):
    """Ends a generation where its workers would start."""


def test_arms_start_in_an_order_of_each_generations_own_and_the_same_again(monkeypatch):
    orders = []

    class Watched(WorkerPool):
        def start(self):
            orders.append([arm.name for arm in self._plan.arms])
            raise Seen

    monkeypatch.setattr(generation, "WorkerPool", Watched)
    request = Request(
        (find_workload("mlp_digits"),), ("numpy", "torch", "jax"), Settings(threads=(1,))
    )
    plan, datasets = make_plan(request, Silent())
    for number in (*range(12), *range(12)):
        with pytest.raises(Seen):
            Generation(plan, datasets, number, {}, set(), Record(), Silent()).run(1.0)
    assert orders[:12] == orders[12:]
    assert {order[0] for order in orders} == {arm.name for arm in plan.arms}
    assert all(sorted(order) == sorted(orders[0]) for order in orders)
