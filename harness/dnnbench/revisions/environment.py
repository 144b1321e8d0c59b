"""A revision's environment: a virtual environment with the project installed as it was then."""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from ..errors import BuildError, UsageError
from ..execution.environments import (
    create_borrowing_environment,
    create_environment,
    interpreter_of,
    known_environments,
    remove_environment,
    require_constraints,
)
from ..execution.scratch import scratch_folder
from ..wording import shortened
from ..worker.environment import without_store_access
from ..worker.sharing import DISTRIBUTION
from .repository import WORKING_TREE, Repository, Revision

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True)
class Recipe:
    """What each of a project's environments is made of, besides the revision."""

    repository: Repository
    subfolder: str = "."
    """Where the project lies in it."""
    requirements: tuple[str, ...] = ()
    """pip's, installed beside the project."""
    constraints: tuple[str, ...] = ()
    """pip's constraint files."""
    build: str = ""
    """A command of a shell that installs the project, in place of pip; empty for pip."""
    no_project: bool = False
    """Whether the revisions have networks alone: then the requirements are installed, and without
    any the environment sees the packages of this one.
    """

    def has_project(self, *revisions: Revision) -> bool:
        """Whether any of the revisions has something to install, or a command installs it."""
        if self.build:
            return True
        paths = [str(Path(self.subfolder) / name) for name in PROJECT_FILES]
        return any(self.repository.has(one, path) for one in revisions for path in paths)

    @property
    def _borrows(self) -> bool:
        return self.no_project and not self.requirements

    def name(self, revision: Revision, copy: int = 0) -> str:
        """`git-COMMIT-DIGEST`, the digest of all that decides what is installed; the working tree
        is named by its files. Names have one length, so that paths do not differ either.

        copy: a second environment of one revision is another.
        """
        parts = (
            str(self.repository.folder), self.subfolder, revision.tree,
            self.requirements, self.constraints, [digest_of(file) for file in self.constraints],
            sys.version, distribution(DISTRIBUTION).version, copy, self.build,
            sys.prefix if self._borrows else self.no_project,
        )  # fmt: skip
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        named = revision.tree if revision.text == WORKING_TREE else revision.commit
        return f"git-{named[:10]}-{digest[:6]}"

    def environment(self, revision: Revision, note: Callable[[str], None], copy: int = 0) -> str:
        """The name of the revision's environment, which is made unless it is there.

        BuildError where the project cannot be installed.
        """
        name = self.name(revision, copy)
        if name in known_environments():
            note(f"{revision}: environment {name}, as it was made before")
        elif self._borrows:
            create_borrowing_environment(name)
        else:
            note(f"{revision}: installing it into environment {name}; this may take minutes")
            self._install(revision, name)
        return name

    def _install(self, revision: Revision, name: str) -> None:
        with (
            scratch_folder("revision") as place,
            self.repository.checked_out(revision, place / "project") as files,
        ):
            project = files / self.subfolder
            by_pip = not (self.build or self.no_project)
            if by_pip:
                _require_project(project, revision)
            wanted = (str(project),) if by_pip else ()
            try:
                create_environment(name, (*self.requirements, *wanted), self.constraints)
                if self.build:
                    _build(self.build, project, name)
            except UsageError as error:
                raise BuildError(f"{revision} cannot be installed: {error}") from None


def _build(command: str, project: Path, name: str) -> None:
    """Run a command of a shell in the checkout, whose `python` and `pip` are the environment's.

    UsageError with its last lines where it fails; the environment goes then.
    """
    programs = interpreter_of(name).parent
    path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
    own = {"PATH": path, "VIRTUAL_ENV": str(programs.parent)}
    try:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=project, env=without_store_access(os.environ) | own, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        if done.returncode:
            output = (done.stderr or done.stdout).strip().splitlines()
            last = " ".join(output[-3:]) or "it said nothing"
            raise UsageError(f"`{command}` ended with {done.returncode}: {shortened(last, 500)}")
    except BaseException:  # also after Ctrl-C: half an environment would pass for one
        remove_environment(name)
        raise


def digest_of(constraints: str) -> str:
    """Of what a constraint file says; of an address nothing, which pip alone reads."""
    if "://" in constraints:
        return ""
    require_constraints(constraints)
    return hashlib.sha256(Path(constraints).read_bytes()).hexdigest()


def project_folder(repository: Repository, folder: Path) -> str:
    """The folder nearest to this one, or above it, that pip can install, from the repository's top.

    The top where there is none: an older revision may have one there.
    """
    top = repository.folder.resolve()
    for place in (folder.resolve(), *folder.resolve().parents):
        if place == top:
            break
        if _is_project(place):
            return str(place.relative_to(top))
    return "."


def _is_project(folder: Path) -> bool:
    return any((folder / name).is_file() for name in PROJECT_FILES)


def _require_project(folder: Path, revision: Revision) -> None:
    """BuildError for what pip cannot install, UsageError for dnnbench itself."""
    if not _is_project(folder):
        raise BuildError(
            f"{shortened(str(revision), 200)} has no {' or '.join(PROJECT_FILES)} there, "
            "so pip cannot install it; add a pyproject.toml"
        )
    if _name_of(folder) == DISTRIBUTION:
        raise UsageError(
            "this project is dnnbench itself, which is lent to both sides, so that they "
            "would be the same; make bench measures what a change to it costs"
        )


def _name_of(folder: Path) -> str:
    """Of the project, as its pyproject.toml states it; empty where it does not."""
    try:
        stated = tomllib.loads((folder / "pyproject.toml").read_text())
    except (OSError, ValueError):  # pip says what is wrong with it
        return ""
    return str(stated.get("project", {}).get("name", ""))
