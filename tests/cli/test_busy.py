"""A busy machine is told before time is spent; only somebody at a terminal is asked."""

import os

import pytest
from dnnbench.cli import busy
from dnnbench.cli.output import Output
from dnnbench.host import contention
from dnnbench.stats.flags import STEAL

REASONS = ["load 15 on 2 CPUs", "other work on the CPUs"]


class Terminal:
    """The end of a pipe that says it is a terminal."""

    def __init__(self, end):
        self._end = end
        self.fileno, self.readline = end.fileno, end.readline

    def isatty(self):
        return True


@pytest.fixture
def machine(monkeypatch):
    """Sets what the machine is busy with, and what somebody at its terminal types."""
    ends = []

    def be(reasons, typed=None):
        monkeypatch.setattr(busy, "disturbances", lambda watch_s: reasons)
        if typed is not None:
            inlet, outlet = (
                os.fdopen(end, mode) for end, mode in zip(os.pipe(), "rw", strict=True)
            )
            ends.extend((inlet, outlet))
            outlet.write(typed)
            outlet.flush()
            monkeypatch.setattr("sys.stdin", Terminal(inlet))
            monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    yield be
    for end in ends:
        end.close()


def test_a_quiet_machine_is_not_spoken_of(machine, capsys):
    machine([])
    assert busy.warn_if_busy(Output())
    assert capsys.readouterr().err == ""


def test_a_busy_one_is_told_and_measured_where_nobody_can_answer(machine, capsys):
    machine(REASONS)
    assert busy.warn_if_busy(Output())
    assert "busy (load 15 on 2 CPUs, other work on the CPUs)" in capsys.readouterr().err


TYPED = {"yes": ("y\n", True), "enter": ("\n", True), "no": ("n\n", False), "nothing": ("", True)}


@pytest.mark.parametrize("case", TYPED)
def test_at_a_terminal_the_user_decides_and_who_is_silent_is_not_waited_for(machine, case):
    typed, goes_on = TYPED[case]
    machine(REASONS, typed)
    assert busy.warn_if_busy(Output(), answer_s=0.2) is goes_on


def test_what_the_kernel_counts_is_named_with_the_load(monkeypatch):
    monkeypatch.setattr(contention, "flags", lambda before, after: STEAL)
    [load, steal] = busy.disturbances(0.0)
    assert load.startswith("load ")
    assert steal == "stolen CPU time"
