"""What `dnnbench bisect` refuses, with its exit code; nothing of the user's changes."""

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.store import schema
from dnnbench.store.store import open_store
from helpers.premade import premake

ENDS = ("--good", "HEAD~1", "--bad", "HEAD")


@pytest.fixture(autouse=True)
def environments(tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))


REFUSED = {
    "a revision that is missing": (
        ("--good", "nowhere", "--bad", "HEAD"), "git finds no commit 'nowhere'",
    ),
    "ends the other way round": (
        ("--good", "HEAD", "--bad", "HEAD~1"), "does not follow from --good",
    ),
    "a command for releases": (
        ("--package", "jax", "--good", "1", "--bad", "2", "--build", "make"),
        "releases of --package are installed by pip",
    ),
    "a suite that is not there": ((*ENDS, "--suite", "zzz"), "zzz"),
    "a constraint file that is not there": (
        (*ENDS, "--constraint", "nowhere.txt"), "--constraint nowhere.txt: cannot be read",
    ),
    "no bad end": (("--good", "HEAD"), "Missing option '--bad'"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused(project, capsys, what):
    arguments, words = REFUSED[what]
    assert main(["bisect", *arguments]) == exitcodes.USAGE
    assert words in capsys.readouterr().err


def test_an_end_that_cannot_be_installed_ends_with_1(project, capsys):
    project.git("rm", "--quiet", "pyproject.toml")
    project.commit("No project")
    project.commit("Still none", mine__py="# said")
    assert main(["bisect", *ENDS]) == exitcodes.FAILED
    assert "has no pyproject.toml" in capsys.readouterr().err


def test_a_folder_without_a_repository_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bisect", *ENDS]) == exitcodes.USAGE
    assert "is in no git repository" in capsys.readouterr().err


def test_changes_of_the_working_tree_are_kept_and_told(project, capsys):
    (project.folder / "mine.py").write_text("changed")
    main(["bisect", *ENDS, "--constraint", "nowhere.txt"])
    assert "the changes of the working tree are in no commit" in capsys.readouterr().err
    assert (project.folder / "mine.py").read_text() == "changed"
    assert project.git("stash", "list") == ""


def test_a_store_of_a_newer_schema_is_left_as_it_is(project, monkeypatch, capsys, tmp_path):
    premake(project, "HEAD~1", "HEAD")
    path = tmp_path / "s.sqlite"
    with monkeypatch.context() as newer:
        newer.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
        open_store(path).close()
    before = path.read_bytes()
    assert main(["bisect", "mlp_digits", *ENDS, "--store", str(path)]) == exitcodes.USAGE
    assert "upgrade dnnbench" in capsys.readouterr().err
    assert path.read_bytes() == before
