"""Counters of the kernel: what it counts everywhere, and what is said where it counts none."""

import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from dnnbench.host import instructions
from dnnbench.host.instructions import (
    INSTRUCTIONS,
    PAGE_FAULTS,
    Event,
    InstructionCounter,
    NotCounted,
)
from dnnbench.worker.counting import counted

TOUCHED_BYTES = 64 * 2**20


def touch():
    """Fresh memory, every page of it."""
    np.zeros(TOUCHED_BYTES, np.uint8)[::4096] = 1


def test_a_call_that_touches_memory_has_its_page_faults():
    with InstructionCounter(PAGE_FAULTS) as counter:
        assert counter.count(touch) >= counter.count(lambda: None) + 16


def test_threads_that_were_there_are_counted():
    wanted, done = threading.Event(), threading.Event()

    def work():
        wanted.wait()
        touch()
        done.set()

    threading.Thread(target=work).start()
    with InstructionCounter(PAGE_FAULTS) as counter:

        def call():
            wanted.set()
            done.wait()

        assert counter.count(call) >= 16


@pytest.fixture
def ended():
    """The id of a thread that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_thread_that_ended_meanwhile_is_left_out(monkeypatch, ended):
    threads = [ended, *instructions._threads()]
    monkeypatch.setattr(instructions, "_threads", lambda: threads)
    with InstructionCounter(PAGE_FAULTS) as counter:
        assert counter.count(touch) >= 16


def test_a_kernel_that_knows_none_of_the_threads_counts_nothing(monkeypatch, ended):
    monkeypatch.setattr(instructions, "_threads", lambda: [ended])
    with pytest.raises(NotCounted, match="it knows none of the threads"):
        InstructionCounter(PAGE_FAULTS)


def test_an_event_that_the_machine_does_not_count_has_a_reason():
    unknown = Event(1, 2**40)
    with pytest.raises(NotCounted, match="the kernel counts none here"):
        InstructionCounter(unknown)


def test_another_processor_has_a_reason(monkeypatch):
    monkeypatch.setattr(instructions, "SYSCALL", {})
    with pytest.raises(NotCounted, match="no counter is known for a processor"):
        InstructionCounter()


def test_nothing_stays_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    with InstructionCounter(PAGE_FAULTS):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_worker_counts_page_faults_and_says_what_it_cannot_count():
    figures, missing = counted(touch)
    values = {figure.name: figure.value for figure in figures}
    assert values["page_faults"] >= 16
    assert ("instructions" in values) is not ("instructions" in missing)
    assert INSTRUCTIONS.type == 0
