"""Third parties' distributions as pip would leave them, and the command line with folders of them
on its path.
"""

import os
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest
from dnnbench.execution import backend_info
from dnnbench.plugins.discovery import Plugins
from dnnbench.plugins.entries import announced

from . import running


def install(folder, name, source, entries=None, version="1.0"):
    """A distribution whose one module NAME_plugin has this source.

    `entries` are lines of its group, else NAME alone.
    """
    module = f"{name.replace('-', '_')}_plugin"
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[dnnbench]\n{entries or f'{name} = {module}'}\n")
    (folder / f"{module}.py").write_text(textwrap.dedent(source))
    return folder


@contextmanager
def installed_here(folder):
    """What lies in a folder is found by workers that this process starts,
    and by this process when it starts them.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        patch.syspath_prepend(folder)
        plugins_here = Plugins(announced())
        patch.setattr(backend_info, "plugins", lambda: plugins_here)
        yield plugins_here


def search_of(path):
    """Python's import path with folders of plugins in front of it."""
    return os.pathsep.join([*map(str, path), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)


def python(*arguments, path=(), cwd=None, **environment):
    """A child interpreter that finds plugins in folders."""
    search = search_of(path)
    env = {**os.environ, **environment, **({"PYTHONPATH": search} if search else {})}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=env, cwd=cwd, check=False
    )


def dnnbench(*arguments, path=(), cwd=".", **environment):
    """The command line where plugins are found in folders."""
    place = Path(cwd).resolve()
    return running.dnnbench(place, *arguments, PYTHONPATH=search_of(path), **environment)
