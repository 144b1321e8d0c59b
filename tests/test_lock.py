import os
import signal
import subprocess
import sys

import pytest
from dnnbench.errors import UsageError
from dnnbench.measure.lock import default_path, machine_lock

HOLD = """
import sys
from pathlib import Path
from dnnbench.measure.lock import machine_lock
with machine_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_one_is_told_who_holds_the_machine(holder, tmp_path):
    says = rf"process {holder.pid}: -c .*lock\).*--wait"
    with pytest.raises(UsageError, match=says), machine_lock(tmp_path / "lock"):
        pass


def test_the_holders_end_frees_the_machine_even_a_violent_one(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    with machine_lock(tmp_path / "lock", wait_s=60):
        pass


def test_waiting_is_limited(holder, tmp_path):
    with pytest.raises(UsageError, match="another dnnbench"), machine_lock(tmp_path / "lock", wait_s=0.1):
        pass


def test_released_after_use_and_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), machine_lock(tmp_path / "lock"):
            1 / 0  # noqa: B018
    with machine_lock(tmp_path / "lock"):
        pass
    assert not (tmp_path / "lock.json").exists()


def test_a_lock_that_cannot_be_opened(tmp_path):
    with pytest.raises(UsageError, match="cannot be opened"), machine_lock(tmp_path):
        pass


def test_all_users_share_one_lock():
    assert default_path().is_absolute()
