"""A line of revisions or releases from a good end to a bad one, each of which can be installed."""

import hashlib
import json
import re
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from ..errors import BuildError, UsageError
from ..execution.backend_info import brought_by
from ..execution.environments import create_environment, known_environments
from ..plugins.discovery import plugins
from ..wording import listed, near_miss, shortened
from ..worker.sharing import DISTRIBUTION
from .arms import Added
from .environment import Recipe, digest_of, project_folder
from .repository import Revision, repository_of

LIMIT_S = 120.0
"""How long an index may take to list releases."""
NOTHING_ADDED = Added()
Note = Callable[[str], None]


class Line(ABC):
    """Place 0 is the good end, the last one the bad end."""

    @property
    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """What names each for good: a commit, a release."""

    @abstractmethod
    def title(self, place: int) -> str:
        """For a reader."""

    @abstractmethod
    def environment(self, place: int, note: Note) -> str:
        """The name of the environment with it installed, made if need be.

        BuildError where it cannot be installed, UsageError where git cannot check it out.
        """

    @abstractmethod
    def backends(self, environment: str) -> list[str]:
        """What is measured where nothing else is named; UsageError where there is nothing."""

    @abstractmethod
    def left_out(self) -> str:
        """What somebody may take for a part of it, in a sentence; empty where nothing is."""


@dataclass(frozen=True)
class CommitLine(Line):
    """Commits along first parents, each a descendant of the good one."""

    recipe: Recipe
    revisions: tuple[Revision, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(revision.commit for revision in self.revisions)

    def title(self, place: int) -> str:
        revision = self.revisions[place]
        return f"{revision.commit[:10]} ({shortened(revision.subject, 60)})"

    def environment(self, place: int, note: Note) -> str:
        return self.recipe.environment(self.revisions[place], note)

    def left_out(self) -> str:
        repository = self.recipe.repository
        if repository.working_tree().tree == repository.revision("HEAD").tree:
            return ""
        return "the changes of the working tree are in no commit, and are not measured"

    def backends(self, environment: str) -> list[str]:
        names = brought_by(environment)
        if not names:
            raise UsageError(
                "this project announces no backend of its own; name what it changes, "
                "such as --backend torch"
            )
        return names


def commit_line(good: str, bad: str, added: Added = NOTHING_ADDED) -> CommitLine:
    """The commits from `good` to `bad` of the project in this folder.

    UsageError where one is missing, or `bad` does not follow from `good`.
    """
    repository = repository_of(Path.cwd())
    first, last = repository.revision(good), repository.revision(bad)
    subfolder = project_folder(repository, Path.cwd())
    recipe = Recipe(repository, subfolder, added.requirements, added.constraints, added.build)
    return CommitLine(recipe, (first, *repository.between(first, last)))


@dataclass(frozen=True)
class ReleaseLine(Line):
    """Releases of a package, as pip's index lists them."""

    package: str
    releases: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return self.releases

    def title(self, place: int) -> str:
        return f"{self.package} {self.releases[place]}"

    def environment(self, place: int, note: Note) -> str:
        release = self.releases[place]
        name = self._name(release)
        if name in known_environments():
            note(f"{self.title(place)}: environment {name}, as it was made before")
            return name
        note(f"{self.title(place)}: installing it into environment {name}; this may take minutes")
        wanted = (f"{self.package}=={release}", *self.requirements)
        try:
            create_environment(name, wanted, self.constraints)
        except UsageError as error:
            raise BuildError(f"{self.title(place)} cannot be installed: {error}") from None
        return name

    def _name(self, release: str) -> str:
        """Of all that decides what is installed, but for what the index has of other packages."""
        parts = (
            self.package, release, self.requirements,
            [digest_of(file) for file in self.constraints],
            sys.version, distribution(DISTRIBUTION).version,
        )  # fmt: skip
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return re.sub(r"[^\w.-]", "-", f"{self.package}-{release}-{digest[:6]}")

    def backends(self, environment: str) -> list[str]:
        using = [b.name for b in plugins().backends.values() if self.package in b.requires]
        if not using:
            raise UsageError(
                f"--package {self.package}: no backend requires it; name what it changes, such as "
                "--backend torch"
            )
        return using

    def left_out(self) -> str:
        return ""


def release_line(package: str, good: str, bad: str, added: Added = NOTHING_ADDED) -> ReleaseLine:
    """The releases of a package from `good` to `bad`; UsageError where one is not there."""
    releases = _releases(package)
    for option, release in (("--good", good), ("--bad", bad)):
        if release not in releases:
            raise UsageError(
                f"{option} {shortened(release)}: the index has no such release of {package} for "
                f"this Python{near_miss(release, releases)} (it has {listed(releases[-6:])})"
            )
    first, last = releases.index(good), releases.index(bad)
    if first >= last:
        raise UsageError(f"--good {good} must come before --bad {bad}")
    between = tuple(releases[first : last + 1])
    return ReleaseLine(package, between, added.requirements, added.constraints)


def _releases(package: str) -> list[str]:
    """Oldest first, without pre-releases: pip lists them newest first."""
    command = [sys.executable, "-m", "pip", "index", "versions", package, "--no-color"]
    try:
        done = subprocess.run(
            [*command, "--disable-pip-version-check"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UsageError(f"--package {package}: the index took more than {LIMIT_S:g} s") from None
    line = re.search(r"^Available versions: (.+)$", done.stdout, re.MULTILINE)
    if done.returncode or line is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = shortened(said[-1], 200) if said else f"exit code {done.returncode}"
        raise UsageError(f"--package {shortened(package)}: pip lists no releases of it ({why})")
    return [text.strip() for text in reversed(line[1].split(","))]
