"""Whatever ends the harness, nothing that a worker started is left:
stopped or not, in a session of its own, or in hiding.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dnnbench.errors import WorkerError
from dnnbench.worker.ended import WorkerLost
from dnnbench.worker.services.process import ProcessService
from dnnbench.worker.supervisor import CHUNK_BYTES, PIPE_BYTES, Supervisor
from helpers.rogues import PATIENCE_S, environment, gone
from helpers.worker_services import Rogue

pytestmark = pytest.mark.slow

HARNESS = """
import os, sys
from pathlib import Path
from dnnbench.worker.process import Worker
from helpers.worker_services import Rogue
pids, workers = [], []
for state in ("idle", "stopped", "busy", "holding the interpreter"):
    log = Path(sys.argv[1]) / f"{state}.log"
    worker = Worker(state, dict(os.environ), log, service="helpers.worker_services:Rogue")
    workers.append(worker)
    pids += [worker._process._process.pid, worker.pid, *worker.ask(Rogue.spawn_family, 60)]
    if state == "stopped":
        worker.stop_when_idle()
    if state == "busy":
        worker.send(Rogue.sleep, 60, seconds=300)
    if state == "holding the interpreter":
        worker.send(Rogue.hold_the_lock, 60)
print(*pids, flush=True)
sys.stdin.read()
"""
"""Without a handler of its own, as any program that imports dnnbench may be."""
IGNORED = {
    signal.SIGCHLD,
    signal.SIGCONT,
    signal.SIGURG,
    signal.SIGWINCH,
    signal.SIGPIPE,
    signal.SIGXFSZ,
}
"""By default, or by Python."""
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
DEADLY = sorted(set(signal.Signals) - IGNORED - STOPPING)
OFTEN = {
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV,
    signal.SIGPIPE, signal.SIGTERM,
}  # fmt: skip
"""Signals that end a harness in practice; the others are the matrix's."""


def named(number):
    marks = () if number in OFTEN else pytest.mark.exhaustive
    return pytest.param(number, id=signal.Signals(number).name, marks=marks)


def left(pids):
    """Those that go on, killed now."""
    found = [pid for pid in pids if not gone(pid)]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return found


@pytest.fixture
def harness(tmp_path):
    """A harness with workers in every state, and all processes below it:
    supervisors, workers, grandchildren.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS, tmp_path],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 4 * 6
    yield process, pids
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [named(number) for number in DEADLY])
def test_no_process_outlives_a_harness_that_a_signal_ends(harness, tmp_path, number):
    process, pids = harness
    process.send_signal(number)
    process.wait(PATIENCE_S)
    assert not left(pids)
    assert not list(tmp_path.glob("*.log"))


def test_no_process_outlives_a_harness_that_ends_by_itself(harness, tmp_path):
    process, pids = harness
    process.communicate(timeout=PATIENCE_S)
    assert not left(pids)
    assert not list(tmp_path.glob("*.log"))


def test_no_process_outlives_a_harness_that_is_killed_with_its_group(harness):
    process, pids = harness
    os.killpg(process.pid, signal.SIGKILL)
    assert not left(pids)


def test_no_process_outlives_a_harness_that_is_killed_when_all_are_stopped(harness):
    process, pids = harness
    for pid in [process.pid, *pids]:
        os.kill(pid, signal.SIGSTOP)
    process.kill()
    assert not left(pids)


def test_closing_a_worker_ends_all_that_it_started(worker):
    family = worker.ask(Rogue.spawn_family, PATIENCE_S)
    worker.close()
    assert not left([worker.pid, *family])


def test_the_death_of_a_worker_ends_all_that_it_started(worker):
    family = worker.ask(Rogue.spawn_family, PATIENCE_S)
    with pytest.raises(WorkerLost, match="signal 9"):
        worker.ask(Rogue.die, PATIENCE_S, number=int(signal.SIGKILL))
    assert not left(family)


def test_a_hang_is_ended_with_all_that_it_started(worker):
    family = worker.ask(Rogue.spawn_family, PATIENCE_S)
    with pytest.raises(WorkerLost, match="no answer"):
        worker.ask(Rogue.sleep, 0.2, seconds=300)
    assert not left([worker.pid, *family])


class Refilling:
    """A log in which whatever is written is printed again:
    a worker that prints faster than it is read.
    """

    def __init__(self, outlet):
        self.outlet, self.writes = outlet, 0

    def write(self, data):
        self.writes += 1
        assert self.writes < 1000
        os.write(self.outlet, data)


def test_a_supervisor_reads_no_more_at_once_than_a_pipe_holds():
    output, outlet = os.pipe()
    log = Refilling(outlet)
    os.write(outlet, b"x")
    Supervisor(harness=-1, worker=0, output=output, log=log)._drain()
    assert log.writes == PIPE_BYTES // CHUNK_BYTES


def test_a_worker_that_prints_without_end_ends(worker):
    worker.ask(Rogue.flood, PATIENCE_S)
    with pytest.raises(WorkerError, match="ValueError: no"):
        worker.ask(Rogue.fail, PATIENCE_S, message="no")
    worker.close()
    assert not left([worker.pid])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_supervisor_outlives_what_may_be_sent_to_all_processes_of_a_program(worker, number):
    supervisor = worker._process._process
    supervisor.send_signal(number)
    assert worker.ask(Rogue.add, PATIENCE_S, a=1, b=1) == 2
    assert supervisor.poll() is None


def test_a_worker_dies_with_its_supervisor(worker):
    worker.ask(ProcessService.hello, PATIENCE_S)
    worker.stop_when_idle()
    worker._process._process.kill()
    assert gone(worker.pid)
    with pytest.raises(WorkerLost, match="supervisor was killed"):
        worker.ask(ProcessService.hello, PATIENCE_S)


def test_a_worker_gets_no_descriptor_of_its_supervisor(worker):
    """One that it held would keep the harness's end from being seen."""
    worker.ask(ProcessService.hello, PATIENCE_S)  # it has imported what it needs, and waits
    links = [os.readlink(path) for path in Path(f"/proc/{worker.pid}/fd").iterdir()]
    assert not [link for link in links if link.startswith("socket:")]


def test_a_worker_whose_supervisor_is_stopped_answers_and_ends(worker, monkeypatch):
    monkeypatch.setattr("dnnbench.worker.supervised.TELL_S", 0.1)
    worker._process._process.send_signal(signal.SIGSTOP)
    with pytest.raises(WorkerError, match="ValueError: no"):
        worker.ask(Rogue.fail, PATIENCE_S, message="no")
    worker.close()
    assert gone(worker.pid)
