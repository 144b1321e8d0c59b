"""A pool leaves no worker behind, also where an interrupt ends it while its threads start workers
and wait for them.
"""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from dnnbench.execution import pool as pools
from dnnbench.execution.pool import PoolClosed, WorkerPool
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.host.affinity import current_mask
from dnnbench.plugins.catalog import find_workload

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def plan():
    request = Request((find_workload("mlp_digits"),), ("numpy",), Settings(threads=(1,)))
    return make_plan(request, Silent())[0]


@pytest.fixture
def other_thread():
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit


@pytest.fixture
def workers():
    """workers(): those that this test has started and that run on.

    Other tests of this process have some of their own.
    """
    others = set(psutil.Process().children(recursive=True))

    def running():
        children = set(psutil.Process().children(recursive=True)) - others
        return [
            c
            for c in children
            if c.status() != psutil.STATUS_ZOMBIE and "dnnbench.worker" in c.cmdline()
        ]

    return running


def test_an_interrupt_while_a_thread_starts_a_worker_leaves_none(
    plan, other_thread, workers, monkeypatch
):
    entered, go_on = threading.Event(), threading.Event()
    spawn = pools.spawn

    def slow(arm, *arguments, **options):
        if arm.name == "numpy:eager":
            entered.set()
            assert go_on.wait(PATIENCE_S)
        return spawn(arm, *arguments, **options)

    monkeypatch.setattr(pools, "spawn", slow)
    pool = WorkerPool(plan, "test")
    with pytest.raises(KeyboardInterrupt), pool:
        started = other_thread(pool.start)
        assert entered.wait(PATIENCE_S)
        threading.Timer(0.3, go_on.set).start()
        raise KeyboardInterrupt
    with pytest.raises(PoolClosed):
        started.result(PATIENCE_S)
    assert not workers()


def test_an_interrupt_is_no_failure_of_an_arm_that_a_thread_asks(plan, other_thread, workers):
    (arm,) = plan.arms
    with pytest.raises(KeyboardInterrupt), WorkerPool(plan, "test") as pool:
        pool.start()
        for worker in workers():
            os.kill(worker.pid, signal.SIGSTOP)  # it will not answer
        asked = other_thread(pool.timing(arm).within(PATIENCE_S).switches)
        while not asked.running():
            pass
        raise KeyboardInterrupt
    with pytest.raises(PoolClosed):
        asked.result(PATIENCE_S)
    assert not workers()


@pytest.mark.skipif(len(current_mask()) < 2, reason="needs two CPUs")
def test_workers_that_start_apart_are_timed_on_the_same_cpus(plan):
    """Two of one arm: with one thread each, the second starts on another CPU."""
    (arm,) = plan.arms
    both = replace(plan, arms=(arm, replace(arm, twin=True)))
    with WorkerPool(both, "test") as pool:
        pool.start()
        masks = {name: cpus_of(worker.pid) for name, worker in pool._workers.items()}
        assert all(mask == set(pool.cpus) for mask in masks.values())


def cpus_of(pid):
    """That any thread of a process may use."""
    threads = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    return set().union(*map(os.sched_getaffinity, threads))


def test_a_closed_pool_starts_no_worker(plan, workers):
    with WorkerPool(plan, "test") as pool:
        pool.start()
    with pytest.raises(PoolClosed):
        pool.restart(plan.arms[0])
    assert not workers()
