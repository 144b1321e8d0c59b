"""The workers of a check: one serves many requests, and none grows without end."""

import pytest
from dnnbench.data.dataset import load
from dnnbench.execution import checking as agreement
from dnnbench.execution import pool as pools
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.dtypes import DType


@pytest.fixture
def rows(monkeypatch, tmp_path):
    """rows(growth): those of two element types and how many workers of the arm they took,
    each allowed so much growth.
    """
    monkeypatch.setenv("DNNBENCH_CACHE", str(tmp_path))
    workload, spawned, spawn = find_workload("mlp_digits"), [], pools.spawn

    def counted(arm, name, *arguments, **options):
        spawned.append(name)
        return spawn(arm, name, *arguments, **options)

    monkeypatch.setattr(pools, "spawn", counted)
    plan = make_plan(Request((workload,), ("numpy",), Settings(threads=(1,))), Silent())[0]
    arms = dict.fromkeys(plan.arms, (DType.FLOAT64, DType.FLOAT32))
    requests = [agreement.check_request(workload, load(workload), 0)]

    def ask(growth):
        monkeypatch.setattr(agreement, "MOST_GROWN_BYTES", growth)
        spawned.clear()
        found = agreement.check_agreement(arms, requests, 1, Silent())
        return found, [name for name in spawned if name.startswith("check-")]

    return ask


@pytest.mark.slow
def test_a_worker_s_log_is_named_after_every_element_type_it_is_asked_in(rows):
    _, spawned = rows(2**30)
    assert spawned == ["check-numpy:eager-float64-float32"]


@pytest.mark.slow
def test_a_worker_that_grew_is_replaced_before_the_next_exam(rows):
    together, one = rows(2**30)
    apart, two = rows(-(2**30))
    assert len(one) == 1
    assert len(two) == 2
    assert together == apart
    assert {row.dtype for row in apart} == {"float64", "float32"}
    assert all(row.status.passes for row in apart)
