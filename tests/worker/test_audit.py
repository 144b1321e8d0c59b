"""The bench's self-audit: an honest program passes, and each way to cheat time shows."""

import itertools
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import median

import pytest
from dnnbench.host.placement import waited_share
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker import growth
from dnnbench.worker.audit import audit
from dnnbench.worker.bench import Bench
from dnnbench.worker.growth import NEAR_ONE, REPEATS, growth_of
from dnnbench_numpy.backend import NumpyBackend
from helpers.programs import Changed

pytestmark = pytest.mark.slow


def audited(**replaced):
    workload = CASES["conv2d_same"]()
    program = NumpyBackend().build(
        workload, initial_weights(workload.model, 0), Arm("numpy", "eager")
    )
    bench = Bench(Changed(program, **replaced), batches_of(workload)[0])
    bench.warm_up("infer")
    return bench.audit(calls=10)


def cached(program, batch, memory={}):  # noqa: B006
    return memory.setdefault(id(program), program.infer(batch))


def test_an_honest_program_has_no_fault():
    found = audited()
    assert found.faults == []
    assert 0 < found.cpus_used < 3


def test_a_cached_answer_is_found():
    assert any("cached" in fault for fault in audited(infer=cached).faults)


def audited_with_pauses(paused):
    """An audit of ten calls a visit in which the calls with these numbers take 10 ms."""
    numbers = itertools.count()
    workload = CASES["dense"]()
    program = NumpyBackend().build(
        workload, initial_weights(workload.model, 0), Arm("numpy", "eager")
    )

    def call():
        if paused(next(numbers)):
            time.sleep(0.01)

    return audit(Changed(program, wait=lambda *_: None), batches_of(workload)[0], call, 10)


GROWTH = 30 * REPEATS
"""Calls of the first question: seven times twenty and ten."""


def test_time_that_does_not_grow_with_the_calls_is_found():
    (fault,) = audited_with_pauses(lambda i: i < GROWTH and i % 30 in (0, 20)).faults
    assert fault.startswith("twice the calls took")
    assert fault.endswith("something else is timed")
    (fault,) = audited_with_pauses(lambda i: i < GROWTH and i % 30 < 20).faults
    assert fault.startswith("twice the calls took")


def test_calls_that_take_longer_when_nobody_waits_are_found():
    (fault,) = audited_with_pauses(lambda i: i < GROWTH or i % 2 == 0).faults
    assert fault.endswith("times as long when nobody waited for it")


def test_a_burst_of_foreign_work_is_no_fault():
    """Four pairs of seven are off to one side: the median is, and the other three excuse it."""
    found = audited_with_pauses(lambda i: i >= GROWTH or i % 30 < 20 or i // 30 in (2, 3, 4))
    assert found.growth.linear > NEAR_ONE[1]
    assert found.faults == []


def test_foreign_work_in_the_longer_call_of_nearly_every_pair_is_no_fault():
    """What is sent away for a while is sent away in the longer run of calls; the least times are
    those of one that was not.
    """
    found = audited_with_pauses(lambda i: i < GROWTH and i % 30 < 20 and i // 30 != 6)
    assert found.growth.most[0] > NEAR_ONE[1]
    assert found.faults == []


def spun(program, batch):
    """Four tenths of a millisecond of one thread's CPU, an inference among them."""
    end = time.thread_time() + 0.0004
    result = program.infer(batch)
    while time.thread_time() < end:
        pass
    return result


@contextmanager
def a_busy_process_on_this_cpu():
    mask = os.sched_getaffinity(0)
    cpu = min(mask)
    beside = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{{cpu}}})\nwhile 1: 0"]
    os.sched_setaffinity(0, {cpu})
    try:
        with subprocess.Popen(beside) as other:
            try:
                yield
            finally:
                other.kill()
    finally:
        os.sched_setaffinity(0, mask)


def spread(growth):
    return growth.most[1] - growth.most[0]


def test_waiting_for_a_cpu_is_no_time_of_a_call(monkeypatch):
    """Time is shared out in slices, by which runs of calls differ where waiting is counted. The
    audit's growth is held beside that of the same calls by the clock.
    """
    clock_s, by_clock, audits = [], [], []

    def noting(before, after, elapsed):
        clock_s.append(elapsed)
        return waited_share(before, after, elapsed)

    monkeypatch.setattr(growth, "waited_share", noting)
    with a_busy_process_on_this_cpu():
        for _ in range(5):
            clock_s.clear()
            audits.append(audited(infer=spun).growth)
            first_question = clock_s[: 2 * REPEATS]
            pairs = zip(first_question[::2], first_question[1::2], strict=True)
            by_clock.append(growth_of(list(pairs)))
    assert median(map(spread, audits)) < median(map(spread, by_clock)) / 2


def test_sleeping_instead_of_computing_shows_in_the_cpu_used():
    asleep = audited(infer=lambda program, batch: (time.sleep(0.02), program.infer(batch))[1])
    assert asleep.cpus_used < 0.2


def test_a_device_with_a_clock_tells_the_seconds_of_a_call():
    calls = []
    workload = CASES["dense"]()
    program = NumpyBackend().build(
        workload, initial_weights(workload.model, 0), Arm("numpy", "eager")
    )
    fed = batches_of(workload)[0]
    assert Bench(program, fed).device_call_s("infer", 4) is None, "NumPy's clock is the host's"
    clocked = Changed(
        program,
        infer=lambda p, batch: (calls.append("call"), p.infer(batch))[1],
        device_seconds=lambda p, work: (calls.append("begin"), work(), calls.append("end"), 8.0)[3],
    )
    assert Bench(clocked, fed).device_call_s("infer", 4) == 2.0
    assert calls == ["call", "begin", "call", "call", "call", "call", "end"]


@pytest.mark.parametrize("calls", [1, 4])
def test_throughput_calls_all_before_it_waits(calls):
    log = []
    workload = CASES["dense"]()
    program = NumpyBackend().build(
        workload, initial_weights(workload.model, 0), Arm("numpy", "eager")
    )
    watched = Changed(
        program,
        infer=lambda p, batch: (log.append("call"), p.infer(batch))[1],
        wait=lambda p, result: log.append("wait"),
    )
    bench = Bench(watched, batches_of(workload)[0], settle_s=0.0)
    log.clear()
    bench.visit("infer", calls, "throughput")
    assert log == ["call", "wait"] + ["call"] * calls + ["wait"] * calls
    log.clear()
    bench.visit("infer", calls, "latency")
    assert log == ["call", "wait"] * (calls + 1)
