"""Ctrl-C in a call from Python keeps what was measured, and tells where it is."""

import json
import signal
import subprocess
import sys

import dnnbench
import pytest
from dnnbench.errors import Interrupted
from helpers.running import TINY, environment, wait_for_generations

CALL = """
import json, sys
import dnnbench
from dnnbench.errors import Interrupted
try:
    dnnbench.run("tiny.toml", backend="numpy", threads=1, phase="infer", check=False,
                 generations=50, max_time="60s", precision=1e-6, wait=True)
except Interrupted as interrupted:
    run = interrupted.result
    print(json.dumps([run.status, len(run.samples), str(interrupted)]))
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("interrupted call"),
]  # a run of two sittings


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "tiny.toml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def interrupted(place):
    """(status, visits, message) of the run that the exception brought."""
    command = [sys.executable, "-c", CALL]
    options = {"cwd": place, "env": environment(), "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, start_new_session=True, **options) as process:
        wait_for_generations(place, 1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    return json.loads(said)


def test_the_exception_brings_the_run(interrupted):
    assert interrupted[0] == "interrupted"


def test_the_run_has_what_was_measured(interrupted):
    assert interrupted[1] > 0


def test_it_says_how_to_go_on(interrupted, place):
    [run] = dnnbench.load(place / "results/dnnbench.sqlite")
    assert interrupted[2] == f"what was measured is kept; `resume={run.run_id!r}` goes on"


def test_a_loop_around_the_call_ends_too():
    assert issubclass(Interrupted, KeyboardInterrupt)
