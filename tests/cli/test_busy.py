"""A busy machine is told before time is spent; only somebody at a terminal is asked."""

import io

import pytest
from dnnbench.cli import busy
from dnnbench.cli.output import Output

REASONS = ["load 15 on 2 CPUs", "other work on the CPUs"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def machine(monkeypatch):
    """Sets what the machine is busy with, and whether somebody sits at a terminal."""

    def be(reasons, answer=None):
        monkeypatch.setattr(busy, "disturbances", lambda watch_s: reasons)
        if answer is not None:
            monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
            monkeypatch.setattr("sys.stderr", Terminal())

    return be


def test_a_quiet_machine_is_not_spoken_of(machine, capsys):
    machine([])
    assert busy.warn_if_busy(Output())
    assert capsys.readouterr().err == ""


def test_a_busy_one_is_told_and_measured_where_nobody_can_answer(machine, capsys):
    machine(REASONS)
    assert busy.warn_if_busy(Output())
    assert "busy (load 15 on 2 CPUs, other work on the CPUs)" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), ("", True), ("n", False)])
def test_at_a_terminal_the_user_decides(machine, answer, goes_on):
    machine(REASONS, answer)
    assert busy.warn_if_busy(Output()) is goes_on


def test_what_the_kernel_counts_is_named_with_the_load(monkeypatch):
    from dnnbench.host import contention
    from dnnbench.stats.flags import STEAL

    monkeypatch.setattr(contention, "flags", lambda before, after: STEAL)
    [load, steal] = busy.disturbances(0.0)
    assert load.startswith("load ")
    assert steal == "stolen CPU time"
