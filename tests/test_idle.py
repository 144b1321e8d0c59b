"""A worker that waits must not burn CPU; one that does is stopped between its calls, and answers all the same."""

import os
from pathlib import Path

import pytest
from dnnbench.measure.idle import NOISY_SHARE, cpu_s, idle_shares
from dnnbench.measure.process import Worker

HERE = Path(__file__).parent
PATIENCE_S = 60.0


@pytest.fixture
def worker(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    with Worker("rogue", environment, tmp_path / "log", service="worker_services:Rogue") as running:
        yield running


def test_a_quiet_worker_is_quiet(worker):
    assert worker.call("add", PATIENCE_S, a=1, b=2) == 3
    assert idle_shares({"quiet": worker.pid})["quiet"] < NOISY_SHARE


def test_a_burning_worker_is_seen_stopped_and_still_answers(worker):
    worker.call("burn", PATIENCE_S)
    assert idle_shares({"burning": worker.pid})["burning"] > 0.05
    worker.stop_when_idle()
    assert idle_shares({"stopped": worker.pid})["stopped"] < NOISY_SHARE
    assert worker.call("add", PATIENCE_S, a=1, b=2) == 3
    assert idle_shares({"stopped again": worker.pid})["stopped again"] < NOISY_SHARE


def test_a_stopped_worker_can_be_closed(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    worker = Worker("rogue", environment, tmp_path / "log", service="worker_services:Rogue")
    worker.call("add", PATIENCE_S, a=1, b=2)
    worker.stop_when_idle()
    worker.close()
    assert cpu_s(worker.pid) is None


def test_a_kernel_that_does_not_count_leaves_the_worker_out(tmp_path):
    assert cpu_s(os.getpid(), proc=tmp_path) is None
