"""Environments of a project's revisions, made without pip: what it would have installed, copied."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from dnnbench.execution.environments import environments_folder
from dnnbench.revisions.environment import Recipe
from dnnbench.revisions.repository import repository_of

from .project import Project

METADATA = "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n"
ENTRY_POINTS = "[dnnbench]\nmine = mine\n"


def premake(project: Project, *revisions: str) -> None:
    """The environment of each revision under the name by which dnnbench looks for it.

    It sees this interpreter's packages, and the project's module as it was then.
    """
    recipe = Recipe(repository_of(project.folder))
    for text in revisions:
        revision = recipe.repository.revision(text)
        place = environments_folder() / recipe.name(revision)
        command = [sys.executable, "-m", "venv", "--without-pip", str(place)]
        subprocess.run(command, check=True)
        (packages,) = place.glob("lib/python*/site-packages")
        (packages / "packages.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
        (packages / "mine.py").write_text(project.git("show", f"{revision.commit}:mine.py"))
        info = packages / "mine-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(METADATA)
        (info / "entry_points.txt").write_text(ENTRY_POINTS)
