"""A repository to work in."""

import pytest
from helpers.project import PLUGIN, PROJECT, Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The working directory: a repository of two commits."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = Project(folder)
    made.commit("A backend", pyproject__toml=PROJECT, mine__py=PLUGIN)
    made.commit("A comment", mine__py=f"{PLUGIN}# said\n")
    return made
