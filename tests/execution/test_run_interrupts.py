"""A run that somebody interrupts, kills, hangs up on or holds."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from dnnbench.stats.flags import PAUSED
from dnnbench.store.store import open_store
from helpers.running import FAST, cells_of, dnnbench, environment, wait_for_generations

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.slow]


def test_ctrl_c_keeps_what_was_measured_and_resume_goes_on(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy",
               "--no-check", "--twin", "--threads", "1", "--max-time", "2s", "--generations", "4",
               "--phase", "infer,train_step", "--wait"]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=place, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    wait_for_generations(place, 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run_id = store.find_run("latest")
        assert store.runs(run_id)["status"].item() == "interrupted"
        kept = store.samples(list(store.cells(run_id)["cell_id"]))
        assert len(kept) > 0
    done = dnnbench(place, "run", "--resume", "latest", "--json", "--wait")
    assert done.returncode == 0, done.stderr
    assert [twin["phase"] for twin in json.loads(done.stdout)["twins"]] == ["infer", "train_step"]
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        assert store.done_generations(run_id) == [0, 1, 2, 3]
        cells = store.cells(run_id)
        again = store.samples(list(cells["cell_id"]))
        twin = again[
            again["cell_id"].isin(cells.loc[cells["arm"] == "numpy:eager#twin", "cell_id"])
        ]
        assert set(twin["generation"]) >= {1, 2, 3}
        assert len(again.merge(kept)) == len(kept), (
            "no visit of the first sitting is lost or changed"
        )


SIGNALLED = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy",
             "--no-check", "--threads", "1", "--max-time", "2s", "--generations", "4", "--phase",
             "infer", "--wait"]  # fmt: skip


def kept_visits(place):
    """How many, of a run that was interrupted."""
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run_id = store.find_run("latest")
        assert store.runs(run_id)["status"].item() == "interrupted"
        return len(store.samples(list(store.cells(run_id)["cell_id"])))


@pytest.mark.exhaustive  # Ctrl-C above takes the same way
def test_sigterm_twice_keeps_what_was_measured_and_leaves_nothing_running(place, tmp_path):
    (tmp_path / "temporary").mkdir()
    signalled = environment() | {"TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen(
        SIGNALLED, cwd=place, env=signalled, stderr=subprocess.PIPE, text=True
    )
    wait_for_generations(place, 1)
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted: what was measured is kept" in said
    assert kept_visits(place) > 0
    assert not psutil.wait_procs(below, 60)[1]
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.exhaustive  # SIGTERM goes the same way, and is sent often
def test_a_terminal_that_hangs_up_ends_a_run_and_keeps_what_was_measured(place):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(place)
        os.execve(sys.executable, SIGNALLED, environment())
    threading.Thread(target=read_all, args=(terminal,), daemon=True).start()
    wait_for_generations(place, 1)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert kept_visits(place) > 0
    assert (place / "results/report.html").exists()


def read_all(terminal):
    """What a program prints, so that it is never held up, until the terminal is closed."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass


def test_kill_9_loses_at_most_the_generation_in_flight(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy",
               "--no-check", "--threads", "1", "--max-time", "2s", "--generations", "4", "--phase",
               "infer", "--wait"]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=place, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_for_generations(place, 2)
    process.kill()
    process.wait()
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run_id = store.find_run("latest")
        assert store.done_generations(run_id)[:2] == [0, 1]
    assert dnnbench(place, "run", "--resume", run_id, "--wait").returncode == 0


def test_ctrl_c_before_anything_is_measured_is_130_too(place):
    command = [
        sys.executable,
        "-m",
        "dnnbench.cli.main",
        "run",
        "tiny.toml",
        "--backend",
        "numpy",
        *FAST,
    ]
    process = subprocess.Popen(
        command,
        cwd=place,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("checking that all arms agree"):
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "--resume" in said


def workers_of(process):
    """The workers of a run, in the order of their start."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.cmdline()[1:3] == ["-m", "dnnbench.worker"]:
                found.append(child)
    return sorted(found, key=lambda worker: worker.create_time())


def stop_for_a_moment(workers):
    """Ten times: to find them takes longer than a round where the machine is busy."""
    for _ in range(10):
        for worker in workers:
            for number in (signal.SIGSTOP, signal.SIGCONT):
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker.send_signal(number)
        time.sleep(0.02)


@pytest.mark.exhaustive  # tests/worker/test_process.py stops workers often
def test_rounds_in_which_somebody_stopped_a_worker_are_marked(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy",
               "--no-check", "--threads", "1", "--max-time", "3s", "--generations", "1", "--phase",
               "infer", "--wait"]  # fmt: skip
    process = subprocess.Popen(command, cwd=place, env=environment(), stderr=subprocess.DEVNULL)
    while process.poll() is None:
        stop_for_a_moment(workers_of(process))
    assert process.returncode == 0
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        marks = store.samples(cells.loc[cells["arm"] == "numpy:eager", "cell_id"])["flags"]
    assert (marks & PAUSED).any()


@pytest.mark.exhaustive  # test_run_failures.py loses other arms often
def test_a_lost_control_arm_costs_no_other_arm(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy",
               "--no-check", "--threads", "1", "--max-time", "1s", "--generations", "1", "--phase",
               "infer", "--wait"]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=place,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    children = []
    while len(children) < 2:
        time.sleep(0.02)
        children = workers_of(process)
    children[0].kill()  # the control is started first
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    cells = cells_of(place)
    assert cells["numpy:eager", "infer"][2] > 0
    assert cells["control", "control"][2] == 0
