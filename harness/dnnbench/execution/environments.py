"""Other Python environments that an arm may name:
another version of a framework beside this one's.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import site
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import requires
from itertools import chain
from pathlib import Path
from typing import IO

from platformdirs import user_data_path

from ..errors import UsageError
from ..plugins.discovery import plugins
from ..regular import home_expanded, is_there, require_regular
from ..wording import near_miss, shortened
from ..worker.environment import without_store_access
from .lent_metadata import leave_metadata

WORKER_NEEDS = ("numpy", "pluggy", "psutil", "pydantic", "scipy", "threadpoolctl")
"""What dnnbench's core imports in a worker; the rest of its requirements serve the command line."""
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
VERSION = re.compile(r"\d+\.\d+\.\d+")
OLDEST = (3, 11)
ANSWER_LIMIT_S = 30.0
ANSWER_BYTES = 1000
PROBE = "import sys; print('.'.join(map(str, sys.version_info[:3])))"


def environments_folder() -> Path:
    """`$DNNBENCH_ENVS`, else a folder of the user's data."""
    return Path(os.environ.get("DNNBENCH_ENVS") or user_data_path("dnnbench") / "envs")


def known_environments() -> dict[str, Path]:
    """Interpreter by name of every environment that `dnnbench envs create` made."""
    folder = environments_folder()
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return {
        place.name: place / "bin" / "python"
        for place in entries
        if (place / "bin" / "python").exists()
    }


def interpreter_of(environment: str) -> Path:
    """The Python that `BACKEND@environment` means: a name of `envs list`,
    a virtual environment's folder, or a Python.

    UsageError if there is none.
    """
    environments = known_environments()
    if environment in environments:
        return environments[environment]
    place = home_expanded(environment)
    python = place / "bin" / "python" if is_there(place) and place.is_dir() else place
    if not is_there(python) or not python.is_file():
        raise UsageError(
            f"'@{shortened(environment)}' is neither an environment "
            f"({', '.join(environments) or 'there is none yet'}) nor the path "
            f"of one{near_miss(environment, environments)}; make one with: "
            f"dnnbench envs create {_slug(environment)} PACKAGE==VERSION"
        )
    return python


def _slug(text: str) -> str:
    return shortened(Path(text).name, 40) or "NAME"


def create_environment(
    name: str, requirements: Sequence[str], constraints: Sequence[str] = ()
) -> Path:
    """Make a virtual environment with `requirements` and what a worker needs; its interpreter.

    UsageError for a name that is taken or odd, or if pip cannot install:
    nothing is left behind then.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"environment '{name}': use letters, digits, '.', '_' and '-', a letter or digit first"
        )
    for file in constraints:
        require_constraints(file)
    place = environments_folder() / name
    if place.exists():
        raise UsageError(
            f"environment '{name}' exists already; choose another name, or: "
            f"dnnbench envs remove {name}"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        _run([sys.executable, "-m", "venv", str(place)], f"environment '{name}'")
        leave_metadata(place)
        python = place / "bin" / "python"
        wanted = [*requirements, *worker_requirements(requirements)]
        options = chain.from_iterable(("-c", file) for file in constraints)
        _run(
            [str(python), "-m", "pip", "install", "--quiet", *options, *wanted],
            f"environment '{name}'",
        )
    # Also after Ctrl-C: half an environment would pass for one.
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return python


def create_borrowing_environment(name: str) -> Path:
    """Make a virtual environment that sees the packages of this one, and has none of its own; its
    interpreter.
    """
    place = environments_folder() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        _run([sys.executable, "-m", "venv", "--without-pip", str(place)], f"environment '{name}'")
        (packages,) = place.glob("lib/python*/site-packages")
        lines = [f"import site; site.addsitedir({path!r})" for path in _site_folders()]
        (packages / "borrowed.pth").write_text("\n".join([*lines, ""]), encoding="utf-8")
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return place / "bin" / "python"


def _site_folders() -> list[str]:
    """Where this interpreter finds what is installed."""
    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [path for path in (*site.getsitepackages(), *users) if Path(path).is_dir()]


def require_constraints(file: str) -> None:
    """UsageError for a constraint file that cannot be read; pip takes an address too.

    A file it would wait for, or not find, is told before anything is made.
    """
    try:
        if "://" not in file:
            require_regular(file)
    except OSError as error:
        raise UsageError(
            f"--constraint {file}: cannot be read: {error.strerror}; give pip's constraint file"
        ) from None


def remove_environment(name: str) -> None:
    """Delete an environment; UsageError if there is none of that name."""
    environments = known_environments()
    if name not in environments:
        raise UsageError(
            f"no environment is called '{name}'{near_miss(name, environments)} "
            f"(there are {', '.join(environments) or 'none'})"
        )
    shutil.rmtree(environments_folder() / name)


def worker_requirements(requirements: Sequence[str]) -> list[str]:
    """dnnbench's own requirements in a worker, and what the backends of the named frameworks need
    beside them.
    """
    named = {_distribution(text) for text in requirements}
    backends = [info.requires for info in plugins().backends.values() if named & set(info.requires)]
    beside = set(chain.from_iterable(backends)) - named
    specs = {
        _distribution(text): text.partition(";")[0].strip() for text in requires("dnnbench") or []
    }
    return [specs.get(name, name) for name in (*WORKER_NEEDS, *sorted(beside)) if name not in named]


def _distribution(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def check_interpreter(environment: str) -> None:
    """UsageError unless `@environment` means a Python of OLDEST or later that tells its version
    in ANSWER_LIMIT_S seconds.
    """
    python = interpreter_of(environment)
    try:
        answer = _answer(python)
    except TimeoutError:
        limit = f"{ANSWER_LIMIT_S:g} s"
        raise UsageError(
            f"'@{environment}': {python} did not tell its version within {limit}; name a Python"
        ) from None
    except OSError as error:
        raise UsageError(
            f"'@{environment}': {python} cannot be started ({error.strerror}); name a Python"
        ) from None
    if not VERSION.fullmatch(answer):
        raise UsageError(
            f"'@{environment}': {python} gave {answer[:40]!r} for its version; name a Python"
        )
    if tuple(map(int, answer.split(".")[:2])) < OLDEST:
        raise UsageError(
            f"'@{environment}' is Python {answer}; a worker needs {'.'.join(map(str, OLDEST))} "
            "or later"
        )


def python_version(python: Path) -> str:
    """The version an interpreter tells; 'broken' if it tells none."""
    try:
        answer = _answer(python)
    except OSError:
        return "broken"
    return answer if VERSION.fullmatch(answer) else "broken"


def _answer(python: Path) -> str:
    """The first line or so that an interpreter prints for PROBE.

    TimeoutError after ANSWER_LIMIT_S seconds.

    Nothing of it is left running, whatever it started.
    """
    process = subprocess.Popen(
        [str(python), "-c", PROBE], env=without_store_access(os.environ), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        return (
            _read(process.stdout, ANSWER_BYTES, time.monotonic() + ANSWER_LIMIT_S)
            .decode(errors="replace")
            .strip()
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def _read(pipe: IO[bytes], most_bytes: int, deadline_s: float) -> bytes:
    """What comes out of a pipe until it ends or there is enough.

    TimeoutError at the deadline of the monotonic clock.
    """
    received = b""
    while len(received) < most_bytes:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline_s - time.monotonic()))
        if not ready:
            raise TimeoutError
        if not (chunk := os.read(pipe.fileno(), most_bytes)):
            break
        received += chunk
    return received


def _run(command: list[str], where: str) -> None:
    done = subprocess.run(
        command, env=without_store_access(os.environ), capture_output=True, text=True
    )
    if done.returncode:
        output = (done.stderr or done.stdout).strip().splitlines()
        raise UsageError(f"{where}: {' '.join(command[1:4])} failed: {' '.join(output[-3:])}")
