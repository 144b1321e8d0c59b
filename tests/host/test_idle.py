"""A worker that waits must not burn CPU.

One that does is stopped between its calls, and answers all the same.
"""

import os
import subprocess
import threading
import time

import pytest
from dnnbench.host.idle import NOISY_SHARE, cpu_s, idle_shares
from helpers.rogues import PATIENCE_S, start
from helpers.worker_services import Rogue


@pytest.fixture
def worker(tmp_path):
    with start(tmp_path) as running:
        yield running


def test_a_quiet_worker_is_quiet(worker):
    assert worker.ask(Rogue.add, PATIENCE_S, a=1, b=2) == 3
    assert idle_shares({"quiet": worker.pid})["quiet"] < NOISY_SHARE


def test_a_burning_worker_is_seen_stopped_and_still_answers(worker):
    worker.ask(Rogue.burn, PATIENCE_S)
    assert idle_shares({"burning": worker.pid})["burning"] > 0.05
    worker.stop_when_idle()
    assert idle_shares({"stopped": worker.pid})["stopped"] < NOISY_SHARE
    assert worker.ask(Rogue.add, PATIENCE_S, a=1, b=2) == 3
    assert idle_shares({"stopped again": worker.pid})["stopped again"] < NOISY_SHARE


def test_a_stopped_worker_can_be_closed(tmp_path):
    worker = start(tmp_path)
    worker.ask(Rogue.add, PATIENCE_S, a=1, b=2)
    worker.stop_when_idle()
    worker.close()
    assert cpu_s(worker.pid) is None


def test_a_process_that_is_gone_is_left_out():
    process = subprocess.Popen(["true"])
    process.wait()
    assert cpu_s(process.pid) is None
    assert idle_shares({"gone": process.pid}, watch_s=0.0) == {}


def test_time_of_threads_that_ended_is_counted():
    def work():
        spent.append(-time.thread_time())
        sum(range(3_000_000))
        spent.append(time.thread_time())

    spent, before = [], cpu_s(os.getpid())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert cpu_s(os.getpid()) - before >= sum(spent) > 0
