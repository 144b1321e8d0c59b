"""A project under git with a backend plugin: a line of equal commits, and slower ones beside it."""

import os
from pathlib import Path

from helpers.project import PLUGIN, PROJECT, Project

EQUAL = 12
"""Commits of the line, each equal to its parent but for a comment."""
BRANCHES = 6
"""Of the line's first commits, from each of which a slower one branches off."""
SLOWER = f"""{PLUGIN}
from time import perf_counter

from dnnbench_numpy.program import NumpyProgram

SHARE = {{share}}


def prolonged(call):
    def prolonged_call(self, *arguments):
        began = perf_counter()
        result = call(self, *arguments)
        end = perf_counter()
        end += SHARE * (end - began)
        while perf_counter() < end:
            pass
        return result

    return prolonged_call


class Slower(NumpyProgram):
    infer = prolonged(NumpyProgram.infer)
    train_step = prolonged(NumpyProgram.train_step)


Mine.build = lambda self, workload, weights, arm, seed=0: Slower(workload, weights, arm, seed)
"""
"""Every inference and training step is right, and takes longer by a share of its own time."""


class StudyProject:
    """The project in a folder, made where it is not there.

    Dates and texts of its commits are fixed, so a later study finds the environments of an earlier
    one.
    """

    def __init__(self, folder: Path, shares: tuple[float, ...]) -> None:
        # Commits are named by their dates, too.
        os.environ |= dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-11-30T00:00Z")
        is_new = not (folder / ".git").exists()
        folder.mkdir(parents=True, exist_ok=True)
        self.project = Project(folder)
        if is_new:
            self._add_line()
        for share in shares:
            self._add_slower(share)

    def pair(self, share: float, number: int) -> str:
        """The range of commits of the gate with this number, among those with this truth."""
        if share:
            start = number % BRANCHES
            return f"line-{start}..{_branch(share, start)}"
        start = number % EQUAL
        return f"line-{start}..line-{start + 1}"

    def _add_line(self) -> None:
        for number in range(EQUAL + 1):
            text = PLUGIN + f"# Comment {number} of the line.\n" * number
            self.project.commit(f"Equal {number}", pyproject__toml=PROJECT, mine__py=text)
            self.project.git("tag", f"line-{number}")

    def _add_slower(self, share: float) -> None:
        for start in range(BRANCHES):
            name = _branch(share, start)
            if name in self.project.git("tag").splitlines():
                continue
            self.project.git("checkout", "--quiet", f"line-{start}")
            text = SLOWER.replace("{share}", str(share)) + f"# Branch {start}.\n"
            self.project.commit(f"Slower by {share:.0%}", mine__py=text)
            self.project.git("tag", name)
        self.project.git("checkout", "--quiet", "main")


def _branch(share: float, start: int) -> str:
    return f"slower-{round(100 * share)}-{start}"
