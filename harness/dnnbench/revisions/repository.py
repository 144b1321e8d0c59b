"""A project's git repository: which commits a text means, and a checkout of each."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..wording import shortened

WORKING_TREE = "the working tree"
LIMIT_S = 600.0
QUIETLY = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
"""git asks nobody, and answers in English."""
SIGNED = {
    f"GIT_{role}_{part}": text
    for role in ("AUTHOR", "COMMITTER")
    for part, text in (("NAME", "dnnbench"), ("EMAIL", "dnnbench@localhost"))
}
"""The commit that keeps a working tree needs an author, whom a CI machine seldom has."""


@dataclass(frozen=True)
class Revision:
    """A commit, and how it was named."""

    commit: str
    """40 hex digits."""
    tree: str
    """Of its files: two commits of one tree install the same."""
    text: str
    subject: str

    def __str__(self) -> str:
        commit, subject = self.commit[:10], shortened(self.subject, 60)
        return (
            f"{commit} ({subject})" if self.text == commit else f"{self.text} ({commit}: {subject})"
        )


@dataclass(frozen=True)
class Repository:
    """folder: the top of its working tree."""

    folder: Path

    def pair(self, text: str) -> tuple[Revision, Revision]:
        """(base, candidate) of `BASE..HEAD`, of `BASE...HEAD` (from where the two parted), or of
        `BASE` against the working tree.

        UsageError where a revision is missing.
        """
        if "..." in text:
            one, other = text.split("...", 1)
            return self._merge_base(one or "HEAD", other or "HEAD"), self.revision(other or "HEAD")
        base, dots, candidate = text.partition("..")
        if dots:
            return self.revision(base or "HEAD"), self.revision(candidate or "HEAD")
        return self.revision(base), self.working_tree()

    def revision(self, text: str) -> Revision:
        """The commit that git finds under a name."""
        named = f"{text}^{{commit}}"
        answer = _git(self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", named)
        if answer.returncode:
            raise UsageError(
                f"git finds no commit '{shortened(text)}' in {self.folder}{self._why_missing()}"
            )
        return self._described(answer.stdout.strip(), text)

    def working_tree(self) -> Revision:
        """What is checked out, with its changes to files under version control."""
        made = _git(self.folder, "stash", "create")
        if made.returncode:
            raise UsageError(
                f"the working tree cannot be kept: {_last_line(made)}; commit, and name the commit"
            )
        return self._described(made.stdout.strip() or "HEAD", WORKING_TREE)

    def has(self, revision: Revision, path: str) -> bool:
        """Whether a revision has a file or folder at a path from the top."""
        answer = _git(self.folder, "cat-file", "-e", f"{revision.commit}:{path}")
        return answer.returncode == 0

    def between(self, good: Revision, bad: Revision) -> list[Revision]:
        """The commits after `good` up to `bad`, oldest first: along first parents, those alone
        that have `good` among their ancestors.

        UsageError where `bad` does not follow from `good`.
        """
        if good.commit == bad.commit:
            raise UsageError(f"--good and --bad are one commit, {good}; name two")
        if _git(self.folder, "merge-base", "--is-ancestor", good.commit, bad.commit).returncode:
            raise UsageError(f"--bad {bad} does not follow from --good {good}{self._why_missing()}")
        span = f"{good.commit}..{bad.commit}"
        following = set(self._must("rev-list", "--ancestry-path", span).split())
        lines = self._must("log", "--first-parent", "--reverse", "--format=%H %T %s", span)
        parts = [f"{line} ".split(" ", 2) for line in lines.splitlines()]
        return [
            Revision(commit, tree, commit[:10], subject.strip())
            for commit, tree, subject in parts
            if commit in following
        ]

    def untracked(self) -> list[str]:
        """Files that no revision has, and that git does not ignore."""
        listed = _git(self.folder, "ls-files", "--others", "--exclude-standard")
        return listed.stdout.splitlines()

    @contextmanager
    def checked_out(self, revision: Revision, place: Path) -> Iterator[Path]:
        """The revision's files in a folder that is not there yet, with its submodules."""
        self._must("worktree", "add", "--detach", "--quiet", str(place), revision.commit)
        try:
            if (place / ".gitmodules").exists():
                _must(place, "submodule", "update", "--init", "--recursive", "--quiet")
            yield place
        finally:
            _git(self.folder, "worktree", "remove", "--force", str(place))

    def _merge_base(self, one: str, other: str) -> Revision:
        commits = self.revision(one).commit, self.revision(other).commit
        answer = _git(self.folder, "merge-base", *commits)
        if answer.returncode:
            raise UsageError(f"'{one}' and '{other}' have no commit in common{self._why_missing()}")
        return self._described(answer.stdout.strip(), f"{one}...{other}")

    def _described(self, commit: str, text: str) -> Revision:
        line = self._must("show", "--no-patch", "--format=%H %T %s", commit)
        commit, tree, subject = line.split(" ", 2)
        return Revision(commit, tree, text, subject)

    def _why_missing(self) -> str:
        shallow = _git(self.folder, "rev-parse", "--is-shallow-repository").stdout.strip()
        if shallow == "true":
            return "; the clone is shallow: git fetch --unshallow (fetch-depth: 0 in a workflow)"
        return "; git log shows what there is"

    def _must(self, *arguments: str) -> str:
        return _must(self.folder, *arguments)


def repository_of(folder: Path) -> Repository:
    """The repository that a folder is in; UsageError where it is in none."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.returncode:
        raise UsageError(f"{folder} is in no git repository ({_last_line(top)})")
    return Repository(Path(top.stdout.strip()))


def _must(folder: Path, *arguments: str) -> str:
    done = _git(folder, *arguments)
    if done.returncode:
        raise UsageError(f"git {arguments[0]} failed in {folder}: {_last_line(done)}")
    return done.stdout.strip()


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """git in a folder, without asking anybody anything; UsageError where there is no git."""
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=os.environ | QUIETLY | SIGNED, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=LIMIT_S,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError("git is not installed; install it") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"git {arguments[0]} took more than {LIMIT_S:g} s") from None


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return shortened(lines[-1], 200) if lines else f"exit code {done.returncode}"
