"""What a text means in a git repository."""

import subprocess

import pytest
from dnnbench.errors import UsageError
from dnnbench.revisions.repository import WORKING_TREE, repository_of


@pytest.fixture
def repository(project):
    return repository_of(project.folder)


def texts(pair):
    return [revision.text for revision in pair]


def test_two_dots_name_both(repository, project):
    base, candidate = repository.pair("HEAD~1..HEAD")
    assert base.commit == project.git("rev-parse", "HEAD~1")
    assert candidate.commit == project.git("rev-parse", "HEAD")
    assert str(candidate) == f"HEAD ({candidate.commit[:10]}: A comment)"


@pytest.mark.parametrize("text", ["HEAD~1..", "HEAD~1..HEAD"])
def test_a_side_that_is_left_out_is_head(repository, project, text):
    assert repository.pair(text)[1].commit == project.git("rev-parse", "HEAD")


def test_three_dots_begin_where_the_two_parted(repository, project):
    parted = project.git("rev-parse", "HEAD")
    project.git("checkout", "--quiet", "-b", "topic")
    topic = project.commit("On the topic", new__py="")
    project.git("checkout", "--quiet", "main")
    project.commit("On main", other__py="")
    base, candidate = repository.pair("main...topic")
    assert (base.commit, candidate.commit) == (parted, topic)


def test_one_revision_is_held_against_the_working_tree(repository, project):
    (project.folder / "mine.py").write_text("changed")
    (project.folder / "new.py").write_text("untracked")
    base, candidate = repository.pair("HEAD")
    assert candidate.text == WORKING_TREE
    assert project.git("show", f"{candidate.commit}:mine.py") == "changed"
    assert base.tree != candidate.tree
    assert repository.untracked() == ["new.py"]
    assert project.git("stash", "list") == "", "nothing of the user's is touched"
    assert (project.folder / "mine.py").read_text() == "changed"


def test_a_working_tree_without_changes_is_head(repository, project):
    base, candidate = repository.pair("HEAD")
    assert base.commit == candidate.commit


def test_a_checkout_is_another_folder_and_goes(repository, project, tmp_path):
    base, _ = repository.pair("HEAD~1..HEAD")
    with repository.checked_out(base, tmp_path / "base") as files:
        assert "# said" not in (files / "mine.py").read_text()
    assert not (tmp_path / "base").exists()
    assert project.git("worktree", "list").count("\n") == 0


def test_a_checkout_has_its_submodules(repository, project, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    subprocess.run(["git", "clone", "--quiet", project.folder, tmp_path / "part"], check=True)
    project.git("submodule", "--quiet", "add", str(tmp_path / "part"), "part")
    project.commit("With a part")
    with repository.checked_out(repository.revision("HEAD"), tmp_path / "head") as files:
        assert (files / "part/mine.py").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere..HEAD", "git finds no commit 'nowhere' in .*; git log shows what there is"),
        ("--help..HEAD", "git finds no commit '--help'"),
        ("", "git finds no commit ''"),
    ],
)
def test_a_revision_that_is_not_there_is_told(repository, text, words):
    with pytest.raises(UsageError, match=words):
        repository.pair(text)


def test_histories_without_a_common_commit_are_told(repository, project):
    project.git("checkout", "--quiet", "--orphan", "alone")
    project.commit("Alone")
    with pytest.raises(UsageError, match="'main' and 'alone' have no commit in common"):
        repository.pair("main...alone")


def test_a_shallow_clone_says_how_to_get_the_rest(project, tmp_path):
    shallow = tmp_path / "shallow"
    source = f"file://{project.folder}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", source, shallow], check=True)
    with pytest.raises(UsageError, match="the clone is shallow: git fetch --unshallow"):
        repository_of(shallow).pair("HEAD~1..HEAD")


def test_a_folder_without_a_repository_is_told(tmp_path):
    with pytest.raises(UsageError, match="is in no git repository"):
        repository_of(tmp_path)


def test_a_machine_without_git_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git is not installed"):
        repository_of(tmp_path)
