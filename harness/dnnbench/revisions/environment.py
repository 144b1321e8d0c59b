"""A revision's environment: a virtual environment with the project installed as it was then."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from ..errors import BuildError, UsageError
from ..execution.environments import create_environment, known_environments
from ..execution.scratch import scratch_folder
from ..wording import shortened
from ..worker.sharing import DISTRIBUTION
from .repository import WORKING_TREE, Repository, Revision

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True)
class Recipe:
    """What each of a project's environments is made of, besides the revision."""

    repository: Repository
    requirements: tuple[str, ...] = ()
    """pip's, installed beside the project."""
    constraints: tuple[str, ...] = ()
    """pip's constraint files."""

    def name(self, revision: Revision, copy: int = 0) -> str:
        """`git-COMMIT-DIGEST`, the digest of all that decides what is installed; the working tree
        is named by its files. Names have one length, so that paths do not differ either.

        copy: a second environment of one revision is another.
        """
        files = [Path(file).read_text() for file in self.constraints if "://" not in file]
        parts = (
            str(self.repository.folder), revision.tree, self.requirements, self.constraints,
            files, sys.version, distribution(DISTRIBUTION).version, copy,
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
            return name
        note(f"{revision}: installing it into environment {name}; this may take minutes")
        with (
            scratch_folder("revision") as place,
            self.repository.checked_out(revision, place / "project") as files,
        ):
            _require_project(files, revision)
            try:
                create_environment(name, (*self.requirements, str(files)), self.constraints)
            except UsageError as error:
                raise BuildError(f"{revision} cannot be installed: {error}") from None
        return name


def _require_project(files: Path, revision: Revision) -> None:
    if not any((files / name).is_file() for name in PROJECT_FILES):
        raise BuildError(
            f"{shortened(str(revision), 200)} has no {' or '.join(PROJECT_FILES)} at its top, "
            "so pip cannot install it; add a pyproject.toml"
        )
