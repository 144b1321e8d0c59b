"""What the plugin of a backend announces: here, or in the environment that an arm names."""

import json
import os
import subprocess
from functools import cache as once
from pathlib import Path

from ..errors import PluginError, UsageError
from ..plugins.discovery import plugins
from ..plugins.hooks import BackendInfo
from ..plugins.tell import read_document
from ..protocol.arm import Arm
from ..wording import near_miss, shortened
from ..worker.environment import without_store_access
from .environments import interpreter_of
from .lending import lent_packages

LIMIT_S = 120.0
"""How long an environment may take to import its plugins; none imports a framework."""


def info_of(arm: Arm) -> BackendInfo:
    """What the plugin announced of an arm's backend."""
    return backend_info(arm.backend, arm.environment)


def backend_info(name: str, environment: str = "") -> BackendInfo:
    """dnnbench's own backends are lent to every environment; another's is read where it is
    installed, and need not be installed here.

    UsageError where there is none of that name, with a near miss and with what is wrong with the
    environment's plugins; PluginError where it cannot be asked.
    """
    if not environment or plugins().is_own_backend(name):
        return plugins().backend(name)
    there, complaints = _told_by(interpreter_of(environment))
    if name in there:
        return there[name]
    faults = "".join(f"; {plugin}: {line}" for plugin, line in complaints.items())
    raise UsageError(
        f"'@{environment}': no backend is called '{shortened(name)}' there"
        f"{near_miss(name, there)} (there are {', '.join(there)}){faults}"
    )


def brought_by(environment: str) -> list[str]:
    """Names of the backends that an environment's plugins announce beside dnnbench's own."""
    there, complaints = _told_by(interpreter_of(environment))
    names = [name for name in there if not plugins().is_own_backend(name)]
    if complaints and not names:
        faults = "; ".join(f"{plugin}: {line}" for plugin, line in complaints.items())
        raise PluginError(f"'@{environment}': no backend can be used: {faults}")
    return names


@once
def _told_by(interpreter: Path) -> tuple[dict[str, BackendInfo], dict[str, str]]:
    """(backend by name, complaint by plugin) in the environment of an interpreter."""
    environment = without_store_access(os.environ) | {"PYTHONPATH": str(lent_packages())}
    try:
        done = subprocess.run(
            [str(interpreter), "-P", "-m", "dnnbench.plugins.tell"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        return read_document(json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        why = f"nothing came in {LIMIT_S:g} s"
    except (IndexError, KeyError, TypeError, ValueError):
        why = " ".join(done.stderr.strip().splitlines()[-1:]) or "it said nothing"
    raise PluginError(f"{interpreter}: cannot tell its plugins: {why}; see pip check there")
