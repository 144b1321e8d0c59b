"""Networks in files of a repository, as either of two revisions has them."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import BuildError, UsageError
from ..execution.environments import interpreter_of
from ..execution.lending import lent_packages
from ..execution.scratch import scratch_folder
from ..plugins.catalog import SUFFIXES
from ..plugins.python_file import is_python_file
from ..plugins.tell_network import read_document
from ..regular import home_expanded
from ..spec.workload import Workload
from ..wording import shortened
from ..worker.environment import without_store_access
from .repository import Repository, Revision

LIMIT_S = 120.0
"""How long a file may take to make its network."""


@dataclass(frozen=True)
class Side:
    """A revision, and the environment that it is installed in."""

    revision: Revision
    environment: str


@dataclass(frozen=True)
class NetworkFile:
    """A network that a user named by a file of the repository."""

    text: str
    """As it was named: `models/net.py:make_net`."""
    path: str
    """Of the file, from the top of the repository."""
    name: str
    """What is taken of it; empty of a file that holds one network."""

    def within(self, folder: Path) -> str:
        """The same of a checkout in `folder`."""
        place = str(folder / self.path)
        return f"{place}:{self.name}" if self.name else place


@dataclass(frozen=True)
class NetworksOfSides:
    """What the base computes, and what the candidate computes in place of it where they differ."""

    base: Mapping[str, Workload]
    """By the text that names it."""
    instead: tuple[Workload, ...]
    """Of the candidate, each with the name of one of the base."""


def network_file(repository: Repository, text: str) -> NetworkFile | None:
    """What `text` names, if it is a file within the repository."""
    file, name = (text.rpartition(":")[::2]) if _names_a_value(text) else (text, "")
    if not (is_python_file(text) or Path(file).suffix.lower() in SUFFIXES):
        return None
    place, top = home_expanded(file).resolve(), repository.folder.resolve()
    if not place.is_relative_to(top):
        return None
    return NetworkFile(text, str(place.relative_to(top)), name)


def _names_a_value(text: str) -> bool:
    return is_python_file(text) and not text.lower().endswith(".py")


def versioned(
    repository: Repository, texts: Sequence[str], base: Revision, candidate: Revision
) -> list[NetworkFile]:
    """Of the networks named, those in files that one of two revisions has.

    UsageError for a file that the other revision has not.
    """
    files = [file for text in texts if (file := network_file(repository, text)) is not None]
    present = {
        file: [repository.has(revision, file.path) for revision in (base, candidate)]
        for file in files
    }
    for file, (before, after) in present.items():
        if before != after:
            there, gone = (base, candidate) if before else (candidate, base)
            raise UsageError(
                f"{file.path}: {there} has it and {gone} has not, so nothing is to be compared; "
                "name a file that both have"
            )
    return [file for file, (before, _) in present.items() if before]


def networks_of_sides(
    repository: Repository,
    files: Sequence[NetworkFile],
    base: Side,
    candidate: Side,
    note: Callable[[str], None],
) -> NetworksOfSides:
    """The networks of the files at either revision, each read in its revision's environment.

    UsageError where the two are not one case: another name, batch size, or purpose.  BuildError
    where a file makes no network.
    """
    before, after = (_of_side(repository, files, side) for side in (base, candidate))
    instead = []
    for file in files:
        one, other = before[file], after[file]
        _require_one_case(file, one, other)
        if one.spec_hash != other.spec_hash:
            instead.append(other)
            note(
                f"{file.text}: different networks at {base.revision} and {candidate.revision}; "
                "each side computes its own, and is checked against its own reference"
            )
    return NetworksOfSides({file.text: before[file] for file in files}, tuple(instead))


def _of_side(
    repository: Repository, files: Sequence[NetworkFile], side: Side
) -> Mapping[NetworkFile, Workload]:
    if not files:
        return {}
    with (
        scratch_folder("networks") as place,
        repository.checked_out(side.revision, place / "project") as checkout,
    ):
        return {file: _read(file, checkout, side) for file in files}


def _read(file: NetworkFile, checkout: Path, side: Side) -> Workload:
    """By the interpreter of the side's environment: the file may import what is installed there."""
    environment = without_store_access(os.environ) | {"PYTHONPATH": str(lent_packages())}
    command = ["-P", "-m", "dnnbench.plugins.tell_network", file.within(checkout)]
    try:
        done = subprocess.run(
            [str(interpreter_of(side.environment)), *command],
            env=environment, cwd=checkout, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=LIMIT_S,
        )  # fmt: skip
        workload, why = read_document(json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        workload, why = None, f"nothing came in {LIMIT_S:g} s"
    except (IndexError, KeyError, TypeError, ValueError):
        workload, why = None, " ".join(done.stderr.strip().splitlines()[-1:]) or "it said nothing"
    if workload is None:
        said = shortened(why.replace(f"{checkout}{os.sep}", ""), 1000)
        raise BuildError(f"{side.revision}: {file.text}: {said}")
    return workload


def _require_one_case(file: NetworkFile, base: Workload, candidate: Workload) -> None:
    for what, of_base, of_candidate in (
        ("name", base.name, candidate.name),
        ("batch size", base.batch_size, candidate.batch_size),
        ("purpose", _purpose(base), _purpose(candidate)),
    ):
        if of_base != of_candidate:
            raise UsageError(
                f"{file.text}: its {what} is {of_base} at the base and {of_candidate} at the "
                f"candidate, so they are two cases; give both the same {what}"
            )


def _purpose(workload: Workload) -> str:
    return "inference alone" if workload.inference_only else "training"
