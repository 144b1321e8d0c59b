"""The arms of two revisions: each backend in the environment of either."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from ..errors import UsageError
from ..execution.arm_text import in_environment, separate
from ..execution.backend_info import brought_by
from ..wording import listed
from .environment import Recipe, project_folder
from .repository import WORKING_TREE, Repository, Revision, repository_of

MOST_NAMED = 5


def arms_of_revisions(
    text: str,
    backends: Sequence[str],
    requirements: Sequence[str],
    constraints: Sequence[str],
    note: Callable[[str], None],
) -> tuple[str, ...]:
    """For `--backend`: every backend at the base, then at the candidate, each revision installed.

    text: `BASE..HEAD`, or `BASE` against the working tree, of the project in this folder.
    backends: none for those that the project's plugin announces.
    """
    repository = repository_of(Path.cwd())
    base, candidate = repository.pair(text)
    if candidate.text == WORKING_TREE:
        _note_untracked(repository, note)
    subfolder = project_folder(repository, Path.cwd())
    recipe = Recipe(repository, subfolder, tuple(requirements), tuple(constraints))
    environments = _environments(recipe, base, candidate, note)
    named = [part for whole in backends for part in separate(whole)] or _brought(environments[1])
    arms = [[in_environment(name, place) for name in named] for place in environments]
    return tuple(chain.from_iterable(arms))


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
            "--git: this project announces no backend of its own; name what it changes, "
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
