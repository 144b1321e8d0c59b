"""One lock for every user of the machine: who holds it, what lies in its way,
and what it leaves alone.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from dnnbench.errors import UsageError
from dnnbench.host.lock import default_path, machine_lock

HOLD = """
import os, sys
from pathlib import Path
import filelock
from dnnbench.errors import UsageError
from dnnbench.host.lock import machine_lock
if sys.argv[2]:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
try:
    with machine_lock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
except UsageError as error:
    print(error, flush=True)
"""
PROTECTION = Path("/proc/sys/fs/protected_regular")
DAEMON, NOBODY = 1, 65534
"""Two users without a right of their own: files of root's in root's /tmp are spared
by the kernel's protection.
"""


class Holder:
    """A process, of another user if `uid` is one, that takes the lock and keeps it until
    it is closed.
    """

    def __init__(self, path, uid=""):
        command = [sys.executable, "-c", HOLD, path, str(uid)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.says = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def holder(tmp_path):
    with Holder(tmp_path / "lock") as running:
        assert running.says == "held"
        yield running.process


def test_the_message_to_a_second_one_names_who_holds_the_machine(holder, tmp_path):
    says = rf"\(process {holder.pid} of {os.environ.get('USER', '')}.*\).*--wait"
    with pytest.raises(UsageError, match=says), machine_lock(tmp_path / "lock"):
        pass


def test_the_message_holds_no_command_line(holder, tmp_path):
    with pytest.raises(UsageError) as caught, machine_lock(tmp_path / "lock"):
        pass
    assert "-c" not in str(caught.value).split()


def test_a_holder_that_the_system_does_not_name(holder, tmp_path, monkeypatch):
    monkeypatch.setattr("dnnbench.host.lock.LOCKS", tmp_path / "absent")
    with (
        pytest.raises(UsageError, match=r"its process is not known; see who holds .*lock"),
        machine_lock(tmp_path / "lock"),
    ):
        pass


def test_the_holders_end_frees_the_machine_even_a_violent_one(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    with machine_lock(tmp_path / "lock", wait_s=60):
        pass


def test_waiting_is_limited(holder, tmp_path):
    with (
        pytest.raises(UsageError, match="another dnnbench"),
        machine_lock(tmp_path / "lock", wait_s=0.1),
    ):
        pass


def test_released_after_use_and_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), machine_lock(tmp_path / "lock"):
            1 / 0  # noqa: B018
    with machine_lock(tmp_path / "lock"):
        pass


def test_the_lock_is_one_file_and_stays_empty(tmp_path):
    with machine_lock(tmp_path / "lock"):
        assert [entry.name for entry in tmp_path.iterdir()] == ["lock"]
    assert (tmp_path / "lock").read_bytes() == b""


def planted_folder(place, victim):
    place.mkdir()


def planted_link(place, victim):
    place.symlink_to(victim)


def planted_dangling_link(place, victim):
    place.symlink_to(victim.with_name("nowhere"))


@pytest.mark.parametrize("plant", [planted_folder, planted_link, planted_dangling_link])
def test_what_lies_at_the_path_and_is_no_file_is_refused_and_left_alone(tmp_path, plant):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    plant(tmp_path / "lock", victim)
    with pytest.raises(UsageError, match="cannot be opened"), machine_lock(tmp_path / "lock"):
        pass
    assert victim.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_hard_linked_to_the_path_keeps_its_content(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.link(victim, tmp_path / "lock")
    with machine_lock(tmp_path / "lock"):
        pass
    assert victim.read_text() == "precious"


def test_a_link_planted_beside_the_lock_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "lock.json").symlink_to(victim)
    with machine_lock(tmp_path / "lock"):
        assert victim.read_text() == "precious"


def test_one_path_for_all_users_whatever_their_tmpdir(monkeypatch, tmp_path):
    monkeypatch.delenv("DNNBENCH_LOCK", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert default_path() == Path("/tmp/dnnbench.lock")


def test_another_path_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("DNNBENCH_LOCK", str(tmp_path / "other"))
    with machine_lock():
        assert (tmp_path / "other").exists()


def test_another_path_can_begin_with_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DNNBENCH_LOCK", "~/other")
    assert default_path() == tmp_path / "other"


@pytest.fixture(params=[0, 1, 2])
def protection(request):
    """fs.protected_regular: O_CREAT on another user's file in a sticky folder fails from 1 on,
    a group's too from 2 on.
    """
    if os.geteuid():
        pytest.skip("only root may set fs.protected_regular and become two other users")
    before = PROTECTION.read_text()
    PROTECTION.write_text(str(request.param))
    yield request.param
    PROTECTION.write_text(before)


@pytest.fixture
def shared_folder():
    """A folder such as /tmp: sticky, and all may write to it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="dnnbench-test-") as folder:
        os.chmod(folder, 0o1777)
        yield Path(folder)


@pytest.mark.xdist_group("protected_regular")
@pytest.mark.parametrize("first, second", [(DAEMON, NOBODY), (0, NOBODY), (NOBODY, 0)])
def test_two_users_exclude_each_other_and_follow_each_other(
    protection, shared_folder, first, second
):
    path = shared_folder / "dnnbench.lock"
    with Holder(path, first) as one:
        assert one.says == "held"
        with Holder(path, second) as other:
            assert f"(process {one.process.pid} of " in other.says
    with Holder(path, second) as other:
        assert other.says == "held"
        assert path.stat().st_uid == first


@pytest.mark.xdist_group("protected_regular")
def test_an_old_note_of_another_user_locks_nobody_out(protection, shared_folder):
    note = shared_folder / "dnnbench.json"
    note.write_text("[]")
    os.chmod(note, 0o600)
    with Holder(shared_folder / "dnnbench.lock", DAEMON) as one:
        assert one.says == "held"
    assert note.read_text() == "[]"


def test_a_users_mask_shuts_nobody_out(tmp_path):
    before = os.umask(0o077)
    try:
        with machine_lock(tmp_path / "lock"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o666
