"""A project under git that pip can install: a small backend plugin, and what may become of it."""

import subprocess
from pathlib import Path

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "mine"
version = "1.0"
dependencies = ["dnnbench>=0.1"]

[project.entry-points.dnnbench]
mine = "mine"

[tool.hatch.build.targets.wheel]
include = ["mine.py"]
"""
PLUGIN = '''
"""A backend of its own: NumPy's."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench_numpy.backend import NumpyBackend


class Mine(NumpyBackend):
    name = "mine"


@hookimpl
def dnnbench_backends():
    return [BackendInfo("mine", "Mine", ("eager",), "eager", f"{__name__}:Mine")]
'''
TWICE = f"""{PLUGIN}
from dnnbench_numpy.program import NumpyProgram


class Twice(NumpyProgram):
    def infer(self, batch):
        super().infer(batch)
        return super().infer(batch)


Mine.build = lambda self, workload, weights, arm, seed=0: Twice(workload, weights, arm, seed)
"""
"""Every answer is right, and computed twice."""
WRONG = f"""{PLUGIN}
from dnnbench_numpy.program import NumpyProgram


class Wrong(NumpyProgram):
    def infer(self, batch):
        result = super().infer(batch)
        outputs = {{name: 1.01 * y for name, y in result["outputs"].items()}}
        return result | {{"outputs": outputs}}


Mine.build = lambda self, workload, weights, arm, seed=0: Wrong(workload, weights, arm, seed)
"""
"""Every answer of an inference is 1 % too large."""


HUNGRY = f"""{PLUGIN}
import numpy as np
from dnnbench_numpy.program import NumpyProgram


class Hungry(NumpyProgram):
    def infer(self, batch):
        self.kept = np.ones(10_000_000)
        return super().infer(batch)


Mine.build = lambda self, workload, weights, arm, seed=0: Hungry(workload, weights, arm, seed)
"""
"""Every inference fills 80 MB, and keeps them: a worker has twice the memory."""


class Project:
    """A folder under git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        command = ["git", *who, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        """Write files, each by its name with `__` for a dot, and commit everything; the commit."""
        for name, text in files.items():
            (self.folder / name.replace("__", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")
