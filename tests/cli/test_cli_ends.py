"""How the command line ends: exit codes, signals, bugs, readers that leave."""

import os
import signal
import subprocess
import sys

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.exitcodes import worst
from helpers.installing import dnnbench, install


@pytest.mark.parametrize(
    "codes, expected",
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 1], 1),
        ([1, 4, 3], 4),
        ([4, 2, 1], 2),
        ([2, 130], 130),
        ([1, 0], 1),
    ],
)
def test_the_worst_exit_code(codes, expected):
    assert worst(codes) == expected


def test_a_foreign_exit_code_is_refused():
    with pytest.raises(ValueError):
        worst([0, 77])


def raising(folder, error):
    """A plugin whose workload raises what only a fault, a full machine or a user's hand would."""
    source = f"""
        import os, signal
        from dnnbench.plugins.hooks import WorkloadInfo, hookimpl
        from dnnbench_workloads.digits import mlp_digits

        def build():
            {error}

        @hookimpl
        def dnnbench_workloads():
            return [WorkloadInfo("odd", "raises", build)]
    """
    return install(folder, "odd", source)


def test_ctrl_c_ends_with_130(tmp_path):
    folder = raising(tmp_path, "os.kill(os.getpid(), signal.SIGINT)")
    done = dnnbench("show", "odd", path=[folder])
    assert done.returncode == exitcodes.INTERRUPTED
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_end_as_ctrl_c_does_and_are_named(tmp_path, name):
    folder = raising(tmp_path, f"os.kill(os.getpid(), signal.{name})")
    done = dnnbench("show", "odd", path=[folder])
    assert done.returncode == exitcodes.INTERRUPTED, done.stderr
    assert f"interrupted by {name}" in done.stderr


SIGNALLED = """
import os, signal, sys
{before}
from dnnbench.cli.interrupts import Ended, ended_by_signals
try:
    with ended_by_signals():
        {inside}
        print("went on")
except KeyboardInterrupt as error:
    print(type(error).__name__, error)
{after}
print("ended by itself")
"""
KEEPING = """try:
            os.kill(os.getpid(), signal.{first})
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGHUP)
            print("kept", end=" ")"""
HANDLED = {
    "an ignored SIGHUP": (
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)", "os.kill(os.getpid(), signal.SIGHUP)", "",
        "went on"
    ),
    "an ignored SIGINT": (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)", "os.kill(os.getpid(), signal.SIGINT)", "",
        "went on"
    ),
    "SIGTERM again": ("", KEEPING.format(first="SIGTERM"), "", "kept Ended SIGTERM"),
    "after SIGHUP": ("", KEEPING.format(first="SIGHUP"), "", "kept Ended SIGHUP"),
    "after Ctrl-C": ("", KEEPING.format(first="SIGINT"), "", "kept KeyboardInterrupt"),
    "a program's own handler": (
        "signal.signal(signal.SIGTERM, lambda *_: print('its own'))", "",
        "os.kill(os.getpid(), signal.SIGTERM)", "went on\nits own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HANDLED)
def test_a_signal_that_comes_again_or_was_ignored_ends_nothing(case):
    before, inside, after, says = HANDLED[case]
    code = SIGNALLED.format(before=before, inside=inside, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert [line.strip() for line in done.stdout.splitlines()] == [
        *says.split("\n"),
        "ended by itself",
    ], done.stderr


def test_a_second_ctrl_c_ends_at_once():
    inside = (
        "try: os.kill(os.getpid(), signal.SIGINT)\n        finally: "
        "os.kill(os.getpid(), signal.SIGINT); print('kept')"
    )
    code = SIGNALLED.format(before="", inside=inside, after="")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "kept" not in done.stdout


def test_outside_the_main_thread_no_signal_is_handled():
    code = "import threading; from dnnbench.cli.main import main; "
    code += "threading.Thread(target=lambda: print(main(['schema', '--help']))).start()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.endswith("0\n"), done.stderr


BUG = "from dnnbench.cli import show; show.describe = lambda *_: None.layers; return mlp_digits()"


def test_a_bug_is_called_one_and_its_traceback_kept(tmp_path):
    folder = raising(tmp_path / "plugin", BUG)
    (tmp_path / "temp").mkdir()
    done = dnnbench("show", "odd", path=[folder], TMPDIR=str(tmp_path / "temp"), DNNBENCH_DEBUG="")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "this is a bug in dnnbench" in done.stderr
    assert "AttributeError" in done.stderr
    [kept] = (tmp_path / "temp").iterdir()
    assert str(kept) in done.stderr
    assert "Traceback (most recent call last)" in kept.read_text()


@pytest.mark.parametrize("flags, environment", [(["-v"], {}), ([], {"DNNBENCH_DEBUG": "1"})])
def test_the_traceback_is_printed_when_asked_for(tmp_path, flags, environment):
    folder = raising(tmp_path / "plugin", BUG)
    done = dnnbench("show", "odd", *flags, path=[folder], **environment)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr


LEFT_EARLY = [
    ["schema"],
    ["list", "workloads"],
    ["list", "workloads", "--json"],
    ["--version"],
    ["--help"],
]


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", LEFT_EARLY)
def test_a_reader_that_leaves_is_no_fault(arguments, unbuffered):
    command = [sys.executable, "-m", "dnnbench.cli.main", *arguments]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as process:
        process.stdout.close()
        code, complaints = process.wait(60), process.stderr.read()
    assert (code, complaints) == (exitcodes.READER_GONE, b"")
    assert exitcodes.READER_GONE == 128 + signal.SIGPIPE


def test_tables_keep_their_width_in_a_pipe():
    text = dnnbench("list", "backends").stdout
    assert any(
        line.rstrip().endswith("installed") and "graph (default), eager, xla" in line
        for line in text.splitlines()
    )


def test_quiet_keeps_data_and_drops_notes(tmp_path):
    folder = install(tmp_path, "zbroken", "raise RuntimeError")
    assert dnnbench("list", "workloads", path=[folder]).stderr
    done = dnnbench("list", "workloads", "--quiet", path=[folder])
    assert done.stderr == ""
    assert "mlp_digits" in done.stdout
