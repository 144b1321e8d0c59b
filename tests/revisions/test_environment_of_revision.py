"""A revision's environment: its name, what it is made of, and what cannot be installed."""

import subprocess
import sys
from dataclasses import replace
from zipfile import ZipFile

import pytest
from dnnbench.errors import BuildError, UsageError
from dnnbench.execution.arm_text import in_environment
from dnnbench.execution.environments import create_borrowing_environment
from dnnbench.execution.lent_metadata import leave_metadata
from dnnbench.revisions import environment
from dnnbench.revisions.environment import Recipe, project_folder
from dnnbench.revisions.repository import repository_of


@pytest.fixture
def recipe(project):
    return Recipe(repository_of(project.folder))


def test_a_name_tells_the_commit_and_changes_with_what_is_installed(recipe, tmp_path):
    base, candidate = recipe.repository.pair("HEAD~1..HEAD")
    pinned = tmp_path / "constraints.txt"
    pinned.write_text("numpy==2.0.0")
    names = [
        recipe.name(base),
        recipe.name(candidate),
        recipe.name(base, copy=1),
        replace(recipe, requirements=("numpy==2.0.0",)).name(base),
        replace(recipe, constraints=(str(pinned),)).name(base),
    ]
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {len("git-0123456789-abcdef")}
    assert names[0].startswith(f"git-{base.commit[:10]}-")


def test_a_constraint_file_that_is_not_there_is_told(recipe):
    base, _ = recipe.repository.pair("HEAD~1..HEAD")
    with pytest.raises(UsageError, match=r"--constraint nowhere.txt: cannot be read"):
        replace(recipe, constraints=("nowhere.txt",)).name(base)


def test_a_working_tree_of_the_same_files_is_the_same_environment(recipe, project):
    (project.folder / "mine.py").write_text("changed")
    first = recipe.name(recipe.repository.working_tree())
    again = recipe.name(recipe.repository.working_tree())
    (project.folder / "mine.py").write_text("changed again")
    assert again == first
    assert recipe.name(recipe.repository.working_tree()) != first


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("torch", "torch@new"),
        ("torch:compile[threads=2]", "torch:compile@new[threads=2]"),
    ],
)
def test_an_arm_is_put_into_an_environment(text, there):
    assert in_environment(text, "new") == there


def test_an_arm_that_names_an_environment_is_refused():
    with pytest.raises(UsageError, match="names an environment, where --git makes one"):
        in_environment("torch@old", "new")


def test_a_folder_that_pip_cannot_install_is_told(recipe, project, monkeypatch, tmp_path):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    project.git("rm", "--quiet", "pyproject.toml")
    project.commit("No project")
    with pytest.raises(BuildError, match=r"has no pyproject.toml .* there"):
        recipe.environment(recipe.repository.revision("HEAD"), print)


def test_dnnbench_itself_is_refused_because_both_sides_would_be_the_same(
    recipe, project, monkeypatch, tmp_path
):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    project.commit("Dnnbench", pyproject__toml='[project]\nname = "dnnbench"\n')
    with pytest.raises(UsageError, match="is dnnbench itself, which is lent to both sides"):
        recipe.environment(recipe.repository.revision("HEAD"), print)


@pytest.fixture
def built(recipe, monkeypatch, tmp_path):
    """A recipe with a command, whose environments are empty but for the packages of this one."""
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    monkeypatch.setattr(
        environment, "create_environment", lambda name, *_: create_borrowing_environment(name)
    )
    return lambda command: replace(recipe, build=command)


def test_a_command_installs_what_pip_cannot(built, tmp_path):
    prefix = """python -c 'import sys; print(sys.prefix)' > "$VIRTUAL_ENV/prefix\""""
    recipe = built(f'{prefix} && cp mine.py "$VIRTUAL_ENV"')
    name = recipe.environment(recipe.repository.revision("HEAD"), print)
    place = tmp_path / "envs" / name
    assert (place / "prefix").read_text().strip() == str(place)
    assert "# said" in (place / "mine.py").read_text()


def test_a_command_that_fails_is_told_with_its_last_lines_and_leaves_nothing(built, tmp_path):
    recipe = built("echo no compiler >&2; exit 3")
    with pytest.raises(BuildError, match="ended with 3: no compiler"):
        recipe.environment(recipe.repository.revision("HEAD"), print)
    assert list((tmp_path / "envs").iterdir()) == []


def test_another_command_is_another_environment(recipe):
    base, _ = recipe.repository.pair("HEAD~1..HEAD")
    assert replace(recipe, build="make").name(base) != recipe.name(base)


def test_a_project_may_lie_in_a_folder_of_its_repository(recipe, project):
    inner = project.folder / "plugins/mine/src"
    inner.mkdir(parents=True)
    assert project_folder(recipe.repository, inner) == "."
    (project.folder / "plugins/mine/pyproject.toml").write_text("")
    assert project_folder(recipe.repository, inner) == "plugins/mine"
    assert project_folder(recipe.repository, project.folder / "plugins") == "."


@pytest.mark.slow
def test_a_build_that_fails_is_told_and_leaves_nothing(recipe, project, monkeypatch, tmp_path):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    project.commit("Broken", pyproject__toml="[build-system]\nrequires = []\n")
    with pytest.raises(BuildError, match="cannot be installed"):
        recipe.environment(recipe.repository.revision("HEAD"), print)
    assert list((tmp_path / "envs").iterdir()) == []
    assert project.git("worktree", "list").count("\n") == 0


@pytest.mark.slow
@pytest.mark.exhaustive  # pip's doing, in an environment of its own
def test_pip_takes_the_lent_dnnbench_for_an_installed_one(tmp_path):
    wheel = tmp_path / "mine-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as file:
        info = "mine-1.0.dist-info"
        metadata = "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\nRequires-Dist: dnnbench>=0.1\n"
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "new"], check=True)
    pip = [tmp_path / "new/bin/python", "-m", "pip", "--quiet"]
    offline = [*pip, "install", "--no-index", wheel]
    refused = subprocess.run(offline, capture_output=True, text=True)
    assert "dnnbench" in refused.stderr, "nothing else provides it"
    leave_metadata(tmp_path / "new")
    subprocess.run(offline, check=True)
    subprocess.run([*pip, "uninstall", "--yes", "dnnbench"], check=True)
