"""`dnnbench run` whose store is away: what was measured is kept, and --resume goes on."""

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import time

import psutil
import pytest
from dnnbench.host.lock import machine_lock
from dnnbench.store.store import open_store
from helpers.postgres_server import start, stop
from helpers.running import TINY, command_line, dnnbench, environment, wait_for_generations

STORE = "results/dnnbench.sqlite"
RUN = (
    "run",
    "tiny.toml",
    "--backend",
    "numpy",
    "--no-check",
    "--phase",
    "infer",
    "--threads",
    "1",
    "--wait",
)
TWO = ("--max-time", "1s", "--generations", "2")
ENDED_AFTER_TWO = {"dnnbench.execution.generation:Generation.run": "helpers.stand_ins:run_and_end"}
pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.slow]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a tiny workload in it, and a folder of user data."""
    (tmp_path / "tiny.toml").write_text(TINY)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@contextlib.contextmanager
def begun(place, *arguments, limit_s=60.0, busy_s=30, changes=None):
    """The command line under way, which waits `busy_s` for SQLite's locks and `limit_s` for a store
    that is away.
    """
    limits = {
        "dnnbench.store.engine:BUSY_TIMEOUT_S": busy_s,
        "dnnbench.store.patience:LIMIT_S": limit_s,
    }
    command = command_line(*arguments, changes=limits | (changes or {}))
    process = subprocess.Popen(
        command,
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process, words) -> str:
    """Read what the process says until it says these words; the line."""
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return line
    raise AssertionError(f"it never said {words!r}: {said}")


@contextlib.contextmanager
def held(path):
    """The lock of a SQLite store, taken from outside."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


def done_generations(store):
    with open_store(store, create=False) as opened:
        return opened.done_generations(opened.find_run("latest"))


def test_a_run_that_the_lock_refuses_leaves_no_store(place):
    with machine_lock():
        refused = dnnbench(place, *RUN[:-1])
    assert refused.returncode == 2
    assert "another dnnbench is measuring" in refused.stderr
    assert not (place / "results").exists()


def test_a_gate_that_the_lock_refuses_leaves_no_store(place):
    with machine_lock():
        refused = dnnbench(
            place,
            "gate",
            "tiny.toml",
            "--backend",
            "numpy,saboteur",
            "--no-check",
            "--threads",
            "1",
        )
    assert refused.returncode == 2
    assert "another dnnbench is measuring" in refused.stderr
    assert not (place / "results").exists()


@pytest.mark.exhaustive  # the next one meets the same lock, for longer
def test_a_run_outlasts_a_lock_of_its_store(place):
    with begun(place, *RUN, *TWO, busy_s=2) as process:
        wait_for_generations(place, 1)
        with held(place / STORE):
            until(process, "database is locked")
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert done_generations(place / STORE) == [0, 1]


@pytest.mark.exhaustive  # tests/store/test_store_away.py keeps such files in this process
def test_a_generation_that_the_store_does_not_take_waits_beside_it_for_resume(place):
    with begun(place, *RUN, *TWO, limit_s=0.3, busy_s=2) as process:
        wait_for_generations(place, 1)
        with held(place / STORE):
            _, said = process.communicate()
    assert process.returncode == 2, said
    assert "Traceback" not in said, said
    (aside,) = (place / "results").glob("dnnbench-aside-*-1.json")
    assert f"generation 2 is in {aside.relative_to(place)}" in said
    assert "--resume" in said
    assert done_generations(place / STORE) == [0]
    again = dnnbench(place, "run", "--resume", "latest", "--wait")
    assert again.returncode == 0, again.stderr
    assert "generation 2, which had been put aside, is in the store now" in again.stderr
    assert done_generations(place / STORE) == [0, 1]
    assert not aside.exists()


@pytest.mark.exhaustive  # the next but one is interrupted while it waits, and keeps the same
def test_a_run_that_is_ended_and_killed_while_its_store_is_locked_keeps_what_it_measured(place):
    with begun(place, *RUN, *TWO, busy_s=2, changes=ENDED_AFTER_TWO) as process:
        wait_for_generations(place, 1)
        with held(place / STORE):
            until(process, "database is locked")
            process.kill()
            process.wait()
    again = dnnbench(place, "run", "--resume", "latest", "--wait")
    assert "generation 2, which had been put aside, is in the store now" in again.stderr
    assert done_generations(place / STORE) == [0, 1]


@pytest.mark.exhaustive  # it ends as the next one does, with no signal
def test_a_run_that_is_ended_while_its_store_is_away_says_so_by_its_exit_code(place):
    with begun(place, *RUN, *TWO, limit_s=0.3, busy_s=2, changes=ENDED_AFTER_TWO) as process:
        wait_for_generations(place, 1)
        with held(place / STORE):
            _, said = process.communicate()
    assert process.returncode == 130, said
    assert len(list((place / "results").glob("dnnbench-aside-*-1.json"))) == 1
    assert "database is locked" in said


def test_ctrl_c_reaches_a_run_that_waits_for_the_lock_of_its_store(place):
    with begun(place, *RUN, *TWO, busy_s=3600) as process:
        wait_for_generations(place, 1)
        until_it_has_workers(process)
        with held(place / STORE):
            until_its_workers_ended(process)
            time.sleep(1)  # for it to reach the lock
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert len(list((place / "results").glob("dnnbench-aside-*-1.json"))) == 1


def until_it_has_workers(process) -> None:
    """Until a generation is under way: the workers of the one before ended before it
    was written.
    """
    while not psutil.Process(process.pid).children():
        time.sleep(0.02)


def until_its_workers_ended(process) -> None:
    """Until a generation is about to be written."""
    while psutil.Process(process.pid).children():
        time.sleep(0.02)


@pytest.mark.exhaustive  # tests/store/test_store_away.py keeps such files in this process
def test_an_ended_run_whose_store_takes_what_it_measured_leaves_no_file_beside_it(place):
    with begun(place, *RUN, *TWO, changes=ENDED_AFTER_TWO) as process:
        _, said = process.communicate()
    assert process.returncode == 130, said
    assert done_generations(place / STORE) == [0, 1], said
    assert list((place / "results").glob("dnnbench-aside-*")) == []


@pytest.mark.exhaustive  # tests/store/test_store_away.py takes a store's file away in this process
def test_a_run_goes_on_when_the_folder_of_its_store_is_removed(place):
    with begun(place, *RUN, *TWO) as process:
        wait_for_generations(place, 1)
        shutil.rmtree(place / "results")
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert "what it held (1 run) is there again" in said
    assert done_generations(place / STORE) == [0, 1]


@pytest.mark.exhaustive  # tests/store/test_store_away.py restarts the server under a store
@pytest.mark.postgres
def test_a_run_outlasts_a_restart_of_its_server(place, server, new_database):
    address = new_database()
    with begun(place, *RUN, *TWO, "--store", address) as process:
        until_committed(address)
        stop(server)
        until(process, "trying again")
        start(server)
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert done_generations(address) == [0, 1]


@pytest.mark.exhaustive  # the file of SQLite waits beside its store in the same way, often
@pytest.mark.postgres
def test_a_generation_that_the_server_does_not_take_waits_with_the_users_data(
    place, server, new_database
):
    address = new_database()
    with begun(place, *RUN, *TWO, "--store", address, limit_s=0.3) as process:
        until_committed(address)
        until_it_has_workers(process)  # before them the run reads its store, and then loses nothing
        stop(server)
        _, said = process.communicate()
    start(server)
    assert process.returncode == 2, said
    assert "Traceback" not in said, said
    (aside,) = (place / "data" / "dnnbench" / "aside").iterdir()
    assert str(aside) in said
    again = dnnbench(place, "run", "--resume", "latest", "--store", address, "--wait")
    assert again.returncode == 0, again.stderr
    assert done_generations(address) == [0, 1]
    assert not aside.exists()


def until_committed(address) -> None:
    """Until the store at the address holds a generation."""
    while True:
        with open_store(address) as store:
            if len(store.generations()):
                return
        time.sleep(0.05)
