"""The arms of two revisions: each backend in the environment of either, and what they compute."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError
from ..execution.arm_text import in_environment, separate
from ..execution.backend_info import brought_by
from ..spec.workload import Workload
from ..wording import listed
from .environment import Recipe, project_folder
from .networks import NetworkFile, Side, networks_of_sides, versioned
from .repository import WORKING_TREE, Repository, Revision, repository_of

MOST_NAMED = 5


@dataclass(frozen=True)
class Added:
    """What a user adds to each revision: requirements and constraint files of pip, and a command
    that installs the project in place of pip.
    """

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    build: str = ""


@dataclass(frozen=True)
class Sides:
    """What two revisions are measured by: every backend at the base, then at the candidate.

    arms: for `--backend`.  networks: the base's, by the text that names a file of the repository.
    instead: by environment, what its arms compute in place of a network of the base.
    """

    arms: tuple[str, ...]
    networks: Mapping[str, Workload]
    instead: Mapping[str, tuple[Workload, ...]]


def sides_of_revisions(
    text: str,
    backends: Sequence[str],
    added: Added,
    networks: Sequence[str],
    note: Callable[[str], None],
) -> Sides:
    """The arms of two revisions, each installed, and what they compute of the networks in files of
    the repository.

    text: `BASE..HEAD`, or `BASE` against the working tree, of the project in this folder.
    backends: none for those that the project's plugin announces.
    networks: names and files.
    """
    repository = repository_of(Path.cwd())
    base, candidate = repository.pair(text)
    if candidate.text == WORKING_TREE:
        _note_untracked(repository, note)
    files = versioned(repository, networks, base, candidate)
    subfolder = project_folder(repository, Path.cwd())
    recipe = Recipe(repository, subfolder, added.requirements, added.constraints, added.build)
    if files and not recipe.has_project(base, candidate):
        _require_backends(backends, files)
        recipe = replace(recipe, no_project=True)
    places = _environments(recipe, base, candidate, note)
    named = [part for whole in backends for part in separate(whole)] or _brought(places[1])
    arms = [in_environment(name, place) for place in places for name in named]
    sides = Side(base, places[0]), Side(candidate, places[1])
    of_files = networks_of_sides(repository, files, *sides, note)
    instead = {places[1]: of_files.instead} if of_files.instead else {}
    return Sides(tuple(arms), of_files.base, instead)


def _require_backends(backends: Sequence[str], files: Sequence[NetworkFile]) -> None:
    if not backends:
        raise UsageError(
            f"--git: this repository has nothing for pip to install, and {files[0].path} is a "
            "network alone; name what computes it, such as --backend torch"
        )


def _environments(
    recipe: Recipe, base: Revision, candidate: Revision, note: Callable[[str], None]
) -> tuple[str, str]:
    """Of the base and of the candidate; one revision against itself is installed twice, so that
    it shows what two installations of the same differ by.
    """
    equal = base.tree == candidate.tree
    if equal:
        note(f"{base} and {candidate} have the same files: the gate compares two installations")
    return recipe.environment(base, note), recipe.environment(candidate, note, copy=int(equal))


def _brought(environment: str) -> list[str]:
    names = brought_by(environment)
    if not names:
        raise UsageError(
            "this project announces no backend of its own; name what it changes, "
            "such as --backend torch"
        )
    return names


def _note_untracked(repository: Repository, note: Callable[[str], None]) -> None:
    files = repository.untracked()
    if files:
        more = f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
        note(
            f"not measured, because git does not know them: {listed(files[:MOST_NAMED])}{more}; "
            "git add takes them in"
        )
