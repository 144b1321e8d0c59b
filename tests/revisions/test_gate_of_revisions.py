"""`dnnbench gate --git` from a repository to its answer: real environments, real workers."""

import json

import pytest
from dnnbench.store.store import open_store
from helpers.nights import add_nights
from helpers.project import TWICE, WRONG
from helpers.running import NEVER_CONTENDED, TINY, dnnbench
from helpers.workflows import ROOT, execute, script

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("run")]
OF_FOUR = ("--max-time", "3s", "--generations", "4")
"""However noisy the machine is, four find twice the time."""
FAST = ("--threads", "1", "--phase", "infer", "--wait", "--json", *OF_FOUR)
QUIET = NEVER_CONTENDED | {"dnnbench.stats.split:FEWEST": 4}
"""The machine that tests run on is never quiet."""


@pytest.fixture
def gated(project, tmp_path, monkeypatch):
    """The exit code, what is said and the document of a gate of the project."""
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    (tmp_path / "tiny.toml").write_text(TINY)

    def gated(*arguments):
        command = ("gate", str(tmp_path / "tiny.toml"), *arguments, *FAST)
        # pip fills two environments, which takes long where others use the machine.
        done = dnnbench(project.folder, *command, changes=QUIET, limit_s=900)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr, json.loads(done.stdout)

    return gated


def test_a_commit_that_takes_twice_the_time_is_caught(gated, project):
    project.commit("Twice the work", mine__py=TWICE)
    code, said, document = gated("--git", "HEAD~1..HEAD", "--figure", "operators")
    (cell,) = document["cells"]
    assert cell["screen"]["value"] > 1.4
    assert cell["regressed"] == ["operators"]
    figures = {row["figure"]: row for row in document["counted"]}
    assert figures["operators"]["candidate"] == 2 * figures["operators"]["base"] > 0
    assert "HEAD (" in said
    assert "Twice the work): installing it into environment git-" in said
    assert code == 3, said


@pytest.mark.exhaustive
def test_a_commit_that_computes_something_else_is_caught(gated, project):
    project.commit("A little more", mine__py=WRONG)
    code, said, document = gated("--git", "HEAD~1..HEAD")
    assert code == 1, said
    assert document["outcome"] == "DIFFERS"


@pytest.mark.exhaustive
def test_a_comment_is_not_slower_and_its_environments_are_made_once(gated, project):
    assert gated("--git", "HEAD~1..HEAD")[0] in (0, 4)
    _, said, _ = gated("--git", "HEAD~1..HEAD")
    assert said.count("as it was made before") == 2


@pytest.mark.exhaustive
def test_the_project_s_own_command_installs_it(gated, project):
    """Harmless: a comment."""
    code, said, document = gated("--git", "HEAD~1..HEAD", "--build", "pip install --quiet .")
    assert code in (0, 4), said
    assert {row["change"] for row in document["counted"] if row["deterministic"]} == {"EQUAL"}


@pytest.mark.exhaustive
def test_a_revision_against_itself_is_installed_twice(gated):
    code, said, document = gated("--git", "HEAD..HEAD")
    assert code in (0, 4)
    assert "have the same files: the gate compares two installations" in said
    assert len({cell["arm"] for cell in document["cells"]}) == 1


@pytest.mark.exhaustive
def test_the_action_fails_the_job_and_says_why_in_its_summary(project, tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "tiny.toml").write_text(TINY)
    project.commit("Twice the work", mine__py=TWICE)
    installed = execute(script(ROOT / "action.yml", "Install dnnbench"), SOURCE=str(ROOT))
    assert installed.returncode == 0, installed.stderr
    done = execute(
        script(ROOT / "action.yml", "Gate"),
        WORKLOADS=str(tmp_path / "tiny.toml"),
        BASE="HEAD~1",
        BACKEND="",
        ARGUMENTS="--threads 1 --max-time 6s --phase infer --wait",
        INCONCLUSIVE="fail",
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("SLOWER: ")
    assert "SLOWER" in (tmp_path / "summary.md").read_text()
    kept = {path.name for path in (tmp_path / "gate").iterdir()}
    assert {"gate.txt", "gate.md", "gate.xml", "gate.html", "runs.sqlite"} <= kept


@pytest.mark.exhaustive
def test_a_change_point_of_a_history_is_confirmed_by_its_two_commits(
    project, tmp_path, monkeypatch
):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    before = project.git("rev-parse", "HEAD")
    after = project.commit("Twice the work", mine__py=TWICE)
    store = tmp_path / "nightly.sqlite"
    with open_store(store) as opened:
        shape = {"arms": {"mine:eager": 1.0}, "threads": 1}
        add_nights(opened, [1.0] * 12, revision=before, **shape)
        add_nights(opened, [2.0] * 4, first=12, revision=after, **shape)
    command = ("history", "--confirm", "--max-time", "3s", "--wait", "--json", "--store", store)
    done = dnnbench(project.folder, *map(str, command), changes=QUIET, limit_s=900)
    document = json.loads(done.stdout)
    (cell,) = document["cells"]
    assert cell["screen"]["value"] > 1.4
    assert "to confirm: mlp_digits/64 infer mine:eager changed to 2.0" in done.stderr
    assert done.returncode == 3, done.stderr
