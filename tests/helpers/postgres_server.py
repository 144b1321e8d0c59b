"""A real PostgreSQL server, started for tests in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REQUIRED = os.environ.get("DNNBENCH_REQUIRE_POSTGRES") == "1"
DEBIAN = "/usr/lib/postgresql"
GUARDED = "guarded"
"""The one user whom the server asks for a password; everybody else is let in."""


def _absent(reason: str):
    if REQUIRED:
        pytest.fail(f"{reason}, and DNNBENCH_REQUIRE_POSTGRES=1")
    pytest.skip(reason)


def _programs() -> Path:
    """Folder of initdb and pg_ctl; skips where there is none."""
    initdb = shutil.which("initdb")
    folders = [Path(initdb).parent] if initdb else sorted(Path(DEBIAN).glob("*/bin"))
    if not folders:
        _absent("no PostgreSQL server here (Debian: apt-get install postgresql)")
    return folders[-1]


def _common_user() -> dict:
    """PostgreSQL refuses to run as root, so root starts it as a common user."""
    if os.geteuid() != 0:
        return {}
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = entries.get("postgres", entries["nobody"])
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _call(*command: str | Path) -> subprocess.CompletedProcess:
    """Run one of the server's programs, as the user whose server it is."""
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    return subprocess.run(
        command, capture_output=True, text=True, cwd="/", env=environment, **_common_user()
    )


def _prepare(*command: str | Path) -> None:
    done = _call(*command)
    if done.returncode != 0:
        _absent(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")


def start(folder: str) -> None:
    """Let the server of a cluster run, and wait until it answers."""
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    _prepare(
        _programs() / "pg_ctl",
        "-D",
        f"{folder}/data",
        "-l",
        f"{folder}/log",
        "-o",
        options,
        "-w",
        "start",
    )


def stop(folder: str) -> None:
    """End the server of a cluster, and every connection to it, as a restart does."""
    assert (
        _call(_programs() / "pg_ctl", "-D", f"{folder}/data", "-m", "fast", "-w", "stop").returncode
        == 0
    )


@contextmanager
def cluster() -> Iterator[str]:
    """Folder of the socket of a fresh cluster, whose superuser is `tester`.

    No TCP port: nothing else can meet it.
    """
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="dnnbench-pg-", ignore_cleanup_errors=True) as folder:
        if user := _common_user():
            os.chown(folder, user["user"], user["group"])
        data = Path(folder) / "data"
        _prepare(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "tester",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        rules = data / "pg_hba.conf"
        rules.write_text(f"local all {GUARDED} scram-sha-256\n{rules.read_text()}")
        start(folder)
        yield folder
        assert (
            _call(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop").returncode == 0
        )
