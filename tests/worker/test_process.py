import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import WorkerError
from dnnbench.host.affinity import current_mask
from dnnbench.worker.ended import WorkerLost, describe_exit
from dnnbench.worker.environment import PAD, padded, size_bytes, worker_environment
from dnnbench.worker.liveness import STOPPED_LOOKS
from dnnbench.worker.process import Worker, worker_argv
from dnnbench.worker.services.process import ProcessService
from dnnbench.worker.sharing import lend_packages
from dnnbench.worker.supervisor import HEAD_BYTES, TAIL_BYTES
from dnnbench.worker.wire import LIVENESS_S
from helpers.rogues import PATIENCE_S, SERVICE, environment, gone, start
from helpers.worker_services import Rogue

pytestmark = pytest.mark.slow

LINES = 300_000
"""More of them than a log keeps."""


def printed(worker):
    """What a worker has printed by now, as its log has it."""
    worker._process.flush_log()
    return worker.log.read_text()


class Newer(Rogue):
    """The service as a parent of another version knows it."""

    def later(self) -> None:
        """Not offered by the worker."""


def test_a_call_returns_what_the_method_returns(worker):
    assert worker.ask(Rogue.add, PATIENCE_S, 1, 2) == 3


def test_an_array_comes_back_as_it_was(worker):
    array = np.arange(300_000.0)
    assert np.array_equal(worker.ask(Rogue.echo, PATIENCE_S, {"x": array})["x"], array)


def test_hello_needs_no_service(tmp_path):
    with start(tmp_path, service="no_such_module:Thing") as worker:
        assert worker.ask(ProcessService.hello, PATIENCE_S).pid == worker.pid


def test_the_mask_is_in_force_before_anything_else(tmp_path):
    cpu = current_mask()[-1]
    with start(tmp_path, cpus=[cpu]) as worker:
        assert worker.ask(ProcessService.hello, PATIENCE_S).cpus == (cpu,)


def test_workers_work_side_by_side(tmp_path):
    with start(tmp_path) as one, start(tmp_path) as two:
        first = one.send(Rogue.echo, PATIENCE_S, "one")
        second = two.send(Rogue.echo, PATIENCE_S, "two")
        assert (second.receive(PATIENCE_S), first.receive(PATIENCE_S)) == ("two", "one")


def test_an_error_comes_back_with_its_kind_and_the_worker_goes_on(worker):
    with pytest.raises(
        WorkerError, match=r"rogue: fail: ValueError: too wide.*worker\.log"
    ) as caught:
        worker.ask(Rogue.fail, PATIENCE_S, message="too wide")
    assert caught.value.kind == "ValueError"
    assert "in fail" in caught.value.log
    assert not isinstance(caught.value, WorkerLost)
    assert worker.ask(Rogue.add, PATIENCE_S, a=1, b=1) == 2


@pytest.mark.parametrize(
    ("method", "arguments", "kind", "words"),
    [
        (Newer.later, {}, "AttributeError", "has no method test_process:Newer.later; it has "),
        (
            Rogue._private,
            {},
            "AttributeError",
            "has no method helpers.worker_services:Rogue._private",
        ),
        (Rogue.add, {"a": 1}, "Unreadable", "missing field b"),
        (Rogue.unsendable, {}, "Unsendable", "cannot send a object"),
        (
            Rogue.mistyped,
            {},
            "Unreadable",
            "the answer cannot be read: the message: expected a whole number, got str",
        ),
    ],
)
def test_calls_that_cannot_be_answered_are_errors_of_the_call(
    worker, method, arguments, kind, words
):
    with pytest.raises(WorkerError, match=re.escape(words)) as caught:
        worker.ask(method, PATIENCE_S, **arguments)
    assert caught.value.kind == kind
    assert worker.ask(Rogue.add, PATIENCE_S, 1, 1) == 2


def test_a_service_that_cannot_be_made_says_so(tmp_path):
    says = pytest.raises(WorkerError, match="no such framework")
    with start(tmp_path, service="helpers.worker_services:Stillborn") as worker, says as caught:
        worker.ask(Rogue.add, PATIENCE_S, a=1, b=1)
    assert caught.value.kind == "ImportError"


DEATHS = [
    (Rogue.die, {"number": int(signal.SIGKILL)}, "killed by signal 9 (out of memory?)"),
    (Rogue.die, {"number": int(signal.SIGSEGV)}, "killed by signal 11 (SIGSEGV)"),
    (Rogue.leave, {"status": 3}, "exit status 3"),
    (Rogue.fork_and_die, {}, "killed by signal 9 (out of memory?)"),
]


@pytest.mark.parametrize(("method", "arguments", "reason"), DEATHS)
def test_a_death_is_told_by_its_cause(worker, method, arguments, reason):
    with pytest.raises(WorkerLost) as caught:
        worker.ask(method, PATIENCE_S, **arguments)
    assert caught.value.reason == reason
    assert f"failed: {reason}" in str(caught.value)
    with pytest.raises(WorkerLost):
        worker.ask(Rogue.add, PATIENCE_S, a=1, b=1)


def test_a_segmentation_fault_leaves_its_traceback(worker):
    with pytest.raises(WorkerLost) as caught:
        worker.ask(Rogue.die, PATIENCE_S, number=int(signal.SIGSEGV))
    assert "Segmentation fault" in caught.value.log
    assert "in die" in caught.value.log


def test_a_worker_killed_from_outside_between_calls(worker):
    worker.ask(ProcessService.hello, PATIENCE_S)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerLost, match="signal 9"):
        worker.ask(Rogue.add, PATIENCE_S, a=1, b=1)


def test_a_worker_that_somebody_stopped_is_lost_long_before_its_time_is_up(worker):
    pending = worker.send(Rogue.sleep, PATIENCE_S, seconds=300)
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerLost) as caught:
        pending.receive(PATIENCE_S)
    assert caught.value.reason.startswith("stopped from outside")
    assert gone(worker.pid)


def test_a_stopped_worker_is_noticed_within_two_seconds():
    assert STOPPED_LOOKS * LIVENESS_S < 2


def stopped_for(worker, seconds):
    """Stop a worker in the midst of an answer, and let it go on."""
    pending = worker.send(Rogue.sleep, PATIENCE_S, seconds=2 * seconds)
    os.kill(worker.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(worker.pid, signal.SIGCONT)
    pending.receive(PATIENCE_S)


@pytest.mark.parametrize("idle_stops", [False, True])
def test_a_pause_of_a_worker_is_counted_once_however_short(worker, idle_stops):
    if idle_stops:
        worker.stop_when_idle()
    worker.ask(Rogue.add, PATIENCE_S, a=1, b=1)
    assert worker.new_pauses() == 0, "our own stops count for nothing"
    stopped_for(worker, 0.01)
    worker.ask(Rogue.add, PATIENCE_S, a=1, b=1)
    assert worker.new_pauses() == 1
    assert worker.new_pauses() == 0


WAITING_PARENT = """
import os, sys
from pathlib import Path
from dnnbench.worker.process import Worker
from helpers.worker_services import Rogue
log, service = Path(sys.argv[1]), "helpers.worker_services:Rogue"
with Worker("w", dict(os.environ), log, service=service) as worker:
    pending = worker.send(Rogue.sleep, 60, seconds=1)
    print("waiting", flush=True)
    pending.receive(60)
    print(worker.new_pauses(), flush=True)
"""


@pytest.mark.parametrize(("seconds", "pauses"), [(0, 0), (1.5, 1)])
def test_a_pause_of_the_parent_is_counted(tmp_path, seconds, pauses):
    line = [sys.executable, "-c", WAITING_PARENT, tmp_path / "worker.log"]
    parent = subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "waiting\n"
    if seconds:
        time.sleep(0.2)  # until it waits: a stop before that is no wait that outlasts its time
        parent.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        parent.send_signal(signal.SIGCONT)
    counted, _ = parent.communicate()
    assert int(counted) == pauses


def test_a_hang_is_ended_with_its_whole_group(worker):
    grandchild = worker.ask(Rogue.spawn, PATIENCE_S)
    with pytest.raises(WorkerLost) as caught:
        worker.ask(Rogue.sleep, 0.2, seconds=300)
    assert caught.value.reason == "no answer in 0.2 s (sleep)"
    assert gone(worker.pid)
    assert gone(grandchild)


def test_rubbish_on_the_standard_streams_goes_to_the_log(worker):
    assert worker.ask(Rogue.shout, PATIENCE_S, size=100_000) == 100_000
    assert worker.ask(Rogue.add, PATIENCE_S, a=2, b=2) == 4
    log = printed(worker)
    assert log.count("x") == log.count("e") == 100_000
    assert "from C, to 1" in log
    assert "from C, to 2" in log


def test_a_log_keeps_its_head_and_its_tail(worker):
    worker.ask(Rogue.count, PATIENCE_S, until=LINES)
    lines = printed(worker).splitlines()
    assert lines[:3] == ["0", "1", "2"]
    assert lines[-1] == str(LINES - 1)


def test_a_log_says_how_much_it_left_out_and_stays_small(worker):
    worker.ask(Rogue.count, PATIENCE_S, until=LINES)
    log = printed(worker)
    [(gap, left_out)] = re.findall(r"(\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n)", log)
    counted = sum(len(f"{number}\n") for number in range(LINES))
    assert len(log) <= HEAD_BYTES + 2 * TAIL_BYTES + len(gap)
    assert len(log) - len(gap) + int(left_out) == counted


def test_a_log_that_no_error_names_goes_with_its_worker(tmp_path):
    with start(tmp_path) as worker:
        worker.ask(Rogue.shout, PATIENCE_S, size=100)
        assert worker.log.exists()
    assert not worker.log.exists()


@pytest.mark.parametrize(
    ("method", "arguments"), [(Rogue.fail, {"message": "no"}), (Rogue.leave, {"status": 3})]
)
def test_a_log_that_an_error_names_stays(tmp_path, method, arguments):
    with start(tmp_path) as worker, pytest.raises(WorkerError) as caught:
        worker.ask(method, PATIENCE_S, **arguments)
    assert str(worker.log) in str(caught.value)
    assert worker.log.exists()


def test_a_log_of_an_interpreter_that_is_none_goes_too(tmp_path):
    with pytest.raises(WorkerError):
        start(tmp_path, interpreter="/no/such/python")
    assert not list(tmp_path.iterdir())


def test_standard_input_is_empty(worker):
    assert worker.ask(Rogue.stdin, PATIENCE_S) == ""


def test_closing_ends_grandchildren_too(tmp_path):
    with start(tmp_path) as worker:
        grandchild = worker.ask(Rogue.spawn, PATIENCE_S)
    assert gone(worker.pid)
    assert gone(grandchild)
    worker.close()
    with pytest.raises(WorkerError, match="closed"):
        worker.ask(ProcessService.hello, PATIENCE_S)


def test_closing_a_busy_worker_does_not_wait_for_it(tmp_path):
    worker = start(tmp_path)
    worker.send(Rogue.sleep, PATIENCE_S, seconds=300)
    worker.close()
    assert gone(worker.pid)


def test_a_worker_that_is_asked_to_end_ends_before_it_is_closed(tmp_path):
    worker = start(tmp_path)
    worker.ask_to_end()
    assert gone(worker.pid)
    worker.close()


def test_a_busy_worker_that_is_asked_to_end_still_answers(tmp_path):
    with start(tmp_path) as worker:
        pending = worker.send(Rogue.sleep, PATIENCE_S, seconds=0.1)
        worker.ask_to_end()
        pending.receive(PATIENCE_S)


def test_sends_and_receives_come_in_pairs(worker):
    pending = worker.send(Rogue.echo, PATIENCE_S, 1)
    with pytest.raises(WorkerError, match="busy with echo"):
        worker.send(Rogue.echo, PATIENCE_S, 2)
    assert pending.receive(PATIENCE_S) == 1
    with pytest.raises(WorkerError, match="idle"):
        pending.receive(1)


def test_a_value_that_cannot_be_sent_costs_nothing(worker):
    with pytest.raises(WorkerError, match="object"):
        worker.ask(Rogue.echo, PATIENCE_S, object())
    assert worker.ask(Rogue.echo, PATIENCE_S, value=1) == 1


def test_an_interrupt_does_not_reach_the_worker(worker):
    worker.ask(ProcessService.hello, PATIENCE_S)
    os.killpg(worker.pid, signal.SIGINT)
    assert worker.ask(Rogue.add, PATIENCE_S, a=1, b=1) == 2


def test_an_interpreter_that_is_none(tmp_path):
    with pytest.raises(WorkerError, match="cannot start /no/such/python"):
        start(tmp_path, interpreter="/no/such/python")


def test_an_interpreter_without_dnnbench(tmp_path):
    lonely = {"PATH": os.environ["PATH"], "PYTHONHOME": str(tmp_path)}
    with (
        Worker("w", lonely, tmp_path / "log") as worker,
        pytest.raises(WorkerLost, match="exit status"),
    ):
        worker.ask(ProcessService.hello, PATIENCE_S)


def test_lent_packages_are_found_and_their_neighbours_are_not(tmp_path):
    lent = lend_packages(tmp_path / "lent")
    names = {entry.name.partition("-")[0] for entry in lent.iterdir()}
    assert {"dnnbench", "dnnbench_numpy", "dnnbench_torch"} <= names
    assert "numpy" not in names
    assert lend_packages(lent) == lent
    found = (
        "import dnnbench, importlib.metadata as m; print(dnnbench.__file__, m.version('dnnbench'))"
    )
    isolated = subprocess.run(
        [sys.executable, "-S", "-c", found],
        env={"PYTHONPATH": str(lent)},
        capture_output=True,
        text=True,
    )
    assert isolated.stdout.startswith(str(lent)), isolated.stderr


def test_nothing_is_added_to_the_environment_on_the_way(tmp_path):
    """Python sets LC_CTYPE in the environment of what it starts in the C locale,
    which would move a worker's stack.
    """
    given = {"PATH": os.environ["PATH"], "LANG": "C"}
    with Worker("w", given, tmp_path / "log") as worker:
        worker.ask(ProcessService.hello, PATIENCE_S)
        block = Path(f"/proc/{worker.pid}/environ").read_text()
    assert dict(entry.split("=", 1) for entry in block.split("\0") if entry) == given


def test_the_environment_arrives(tmp_path):
    variables = worker_environment(environment(), threads=3, memory="native", caches={})
    variables = padded(
        variables, worker_argv(sys.executable, [], SERVICE, (3, 4)), random.Random(0)
    )
    with Worker("w", variables, tmp_path / "log", service=SERVICE) as worker:
        for name in ("OMP_NUM_THREADS", "PYTHONHASHSEED", PAD):
            assert worker.ask(Rogue.environment, PATIENCE_S, name=name) == variables[name]
    assert size_bytes(variables, []) > 4096


def test_a_closed_worker_runs_its_exit_handlers_and_is_not_taken_apart(tmp_path):
    """Python takes TensorFlow apart for a second of CPU time."""
    with start(tmp_path) as worker:
        worker.ask(Rogue.note_its_end, PATIENCE_S, str(tmp_path / "noted"))
    assert (tmp_path / "noted").read_text() == "exit handlers"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exit status 0"),
        (3, "exit status 3"),
        (-9, "killed by signal 9 (out of memory?)"),
        (-6, "killed by signal 6 (SIGABRT)"),
        (-63, "killed by signal 63 (unnamed)"),
    ],
)
def test_exits_in_words(code, text):
    assert describe_exit(code) == text
