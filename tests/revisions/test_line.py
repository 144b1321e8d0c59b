"""Lines of commits and of releases: what lies between two ends, and what is refused."""

import subprocess
from zipfile import ZipFile

import pytest
from dnnbench.errors import UsageError
from dnnbench.revisions.line import ReleaseLine, commit_line, release_line

pytestmark = pytest.mark.slow


def subjects(line):
    return [revision.subject for revision in line.revisions]


def test_a_line_has_both_ends_and_what_lies_between(project):
    for number in range(3):
        project.commit(f"Commit {number}", mine__py=f"# {number}")
    line = commit_line("HEAD~3", "HEAD")
    assert subjects(line) == ["A comment", "Commit 0", "Commit 1", "Commit 2"]
    assert line.ids[-1] == project.git("rev-parse", "HEAD")
    assert line.title(1) == f"{line.ids[1][:10]} (Commit 0)"


def test_a_merge_counts_as_one_and_what_it_brings_not_at_all(project):
    project.git("checkout", "--quiet", "-b", "topic")
    project.commit("On the topic", new__py="")
    project.git("checkout", "--quiet", "main")
    project.commit("On main", other__py="")
    project.git("merge", "--quiet", "--no-ff", "-m", "A merge", "topic")
    assert subjects(commit_line("HEAD~2", "HEAD")) == ["A comment", "On main", "A merge"]


def test_commits_that_do_not_have_the_good_end_are_left_out(project):
    project.git("checkout", "--quiet", "-b", "topic")
    project.commit("On the topic", new__py="")
    project.git("checkout", "--quiet", "main")
    project.commit("On main", other__py="")
    project.git("merge", "--quiet", "--no-ff", "-m", "A merge", "topic")
    assert subjects(commit_line("topic", "HEAD")) == ["On the topic", "A merge"]


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("HEAD", "HEAD", "--good and --bad are one commit"),
        ("HEAD", "HEAD~1", r"--bad HEAD~1 \(.*\) does not follow from --good HEAD"),
        ("nowhere", "HEAD", "git finds no commit 'nowhere'"),
    ],
)
def test_ends_that_make_no_line_are_told(project, good, bad, words):
    with pytest.raises(UsageError, match=words):
        commit_line(good, bad)


def test_a_shallow_clone_says_how_to_get_the_rest(project, tmp_path, monkeypatch):
    shallow = tmp_path / "shallow"
    source = f"file://{project.folder}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", source, shallow], check=True)
    monkeypatch.chdir(shallow)
    with pytest.raises(UsageError, match="the clone is shallow: git fetch --unshallow"):
        commit_line("HEAD~1", "HEAD")


def test_changes_that_are_in_no_commit_are_told(project):
    line = commit_line("HEAD~1", "HEAD")
    assert line.left_out() == ""
    (project.folder / "mine.py").write_text("changed")
    assert "the changes of the working tree" in line.left_out()


def test_a_submodule_that_is_gone_is_told_and_leaves_nothing(project, tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    for name, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    part = tmp_path / "part"
    subprocess.run(["git", "clone", "--quiet", project.folder, part], check=True)
    project.git("submodule", "--quiet", "add", str(part), "part")
    project.commit("With a part")
    part.rename(tmp_path / "gone")
    project.git("submodule", "--quiet", "deinit", "--force", "part")
    subprocess.run(["rm", "-rf", project.folder / ".git/modules/part"], check=True)
    line = commit_line("HEAD~1", "HEAD")
    with pytest.raises(UsageError, match="git submodule failed in"):
        line.environment(1, print)
    assert project.git("worktree", "list").count("\n") == 0


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Wheels of one package in a folder, which pip takes for its index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("0.9", "0.10", "1.0rc1", "1.0"):
        with ZipFile(folder / f"mine-{version}-py3-none-any.whl", "w") as wheel:
            info = f"mine-{version}.dist-info"
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: mine\nVersion: {version}\n"
            )
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_releases_come_in_the_order_of_their_versions(index):
    line = release_line("mine", "0.9", "1.0")
    assert line.ids == ("0.9", "0.10", "1.0")
    assert line.title(1) == "mine 0.10"


@pytest.mark.parametrize(
    ("package", "good", "bad", "words"),
    [
        ("mine", "0.8", "1.0", r"--good 0.8: the index has no such release of mine"),
        ("mine", "1.0", "0.9", "--good 1.0 must come before --bad 0.9"),
        ("yours", "1", "2", "--package yours: pip lists no releases of it"),
    ],
)
def test_releases_that_make_no_line_are_told(index, package, good, bad, words):
    with pytest.raises(UsageError, match=words):
        release_line(package, good, bad)


def test_a_package_that_no_backend_requires_needs_a_backend(index):
    line = release_line("mine", "0.9", "1.0")
    with pytest.raises(UsageError, match="no backend requires it; name what it changes"):
        line.backends("")


def test_a_package_of_a_framework_is_measured_by_its_backend():
    assert ReleaseLine("jax", ("1", "2")).backends("") == ["jax"]


def test_names_of_environments_tell_releases_apart():
    line = ReleaseLine("jax", ("1", "2"))
    assert line._name("1") != line._name("2")
    assert line._name("1").startswith("jax-1-")
