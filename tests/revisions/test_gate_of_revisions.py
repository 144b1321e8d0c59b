"""`dnnbench gate --git` from a repository to its answer, as docs/gate.md has it: real environments,
real workers.
"""

import json
import re
import shlex
from pathlib import Path

import pytest
from dnnbench.execution.request import add_this_machine
from dnnbench.store.store import open_store
from helpers.nights import add_nights
from helpers.premade import premake
from helpers.project import HUNGRY, PLUGIN, TWICE, WRONG
from helpers.running import NEVER_CONTENDED, TINY, dnnbench
from helpers.workflows import ROOT, execute, script

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("run")]
PAGE = (Path(__file__).parents[2] / "docs/gate.md").read_text().split("## A commit against its")[1]
AGAINST_PARENT, BRANCH, WORKING_TREE = re.findall(
    r"^    dnnbench (gate mlp_digits --git .*? --wait) +#", PAGE, re.M
)
FOUR, SIX = 4, 6
"""Generations: however noisy the machine is, four find twice the time; a figure that is counted
takes six.
"""
FAST = ("--threads", "1", "--phase", "infer", "--max-time", "3s", "--json")
QUIET = NEVER_CONTENDED | {"dnnbench.stats.split:FEWEST": FOUR}
"""The machine that tests run on is never quiet."""


@pytest.fixture
def gated(project, tmp_path, monkeypatch):
    """The exit code, what is said and the document of a gate of the project."""
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    (tmp_path / "tiny.toml").write_text(TINY)

    def gated(command, *arguments, generations=FOUR):
        words = shlex.split(command.replace("mlp_digits", str(tmp_path / "tiny.toml")))
        words += [*arguments, *FAST, "--generations", str(generations)]
        # pip fills two environments, which takes long where others use the machine.
        done = dnnbench(project.folder, *words, changes=QUIET, limit_s=900)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr, json.loads(done.stdout)

    return gated


def add_history(store, machine):
    """Three nights of the cell on this machine, outside of an environment."""
    networks = [{"name": "tiny", "task": {"metric": "accuracy"}}]
    shape = {"workloads": ("tiny",), "arms": {"mine:eager": 1.0}, "threads": 1}
    add_nights(store, [1.0] * 3, machine=machine, networks=networks, **shape)


@pytest.mark.exhaustive  # the page's gate of a commit runs often, and finds more operators
def test_a_commit_that_takes_twice_the_time_is_caught(gated, project, tmp_path):
    project.commit("Twice the work", mine__py=TWICE)
    premake(project, "HEAD~1", "HEAD")
    with open_store(tmp_path / "nightly.sqlite") as store:
        add_history(store, add_this_machine(store))
    kept = ("--store", str(tmp_path / "nightly.sqlite"), "--markdown", str(tmp_path / "gate.md"))
    # Of 64 examples as the nights are.
    figure = ("--figure", "operators", "--batch-size", "64")
    code, said, document = gated(AGAINST_PARENT, *figure, *kept)
    (cell,) = document["cells"]
    assert cell["screen"]["value"] > 1.4
    assert cell["regressed"] == ["operators"]
    figures = {row["figure"]: row for row in document["counted"]}
    assert figures["operators"]["candidate"] == 2 * figures["operators"]["base"] > 0
    assert "HEAD (" in said
    assert code == 3, said
    outcome, *folded = (tmp_path / "gate.md").read_text().split("<details>")
    assert outcome.startswith(f"## {document['outcome']}: ")
    assert folded[-1].startswith("<summary>Trend: 1 cell over 3 runs of machine ")


@pytest.mark.exhaustive
def test_a_commit_that_doubles_memory_is_caught(gated, project, tmp_path):
    project.commit("More memory", mine__py=HUNGRY)
    premake(project, "HEAD~1", "HEAD")
    page = tmp_path / "gate.md"
    memory = ("--figure", "peak_bytes,peak_rss_bytes", "--markdown", str(page))
    code, said, document = gated(AGAINST_PARENT, *memory, generations=SIX)
    (cell,) = document["cells"]
    assert code == 3, said
    assert cell["regressed"] == ["peak_bytes", "peak_rss_bytes"]
    figures = {row["figure"]: row for row in document["counted"]}
    assert figures["peak_rss_bytes"]["candidate"] > 1.8 * figures["peak_rss_bytes"]["base"]
    outcome, *_ = page.read_text().replace("\\", "").split("<details>")
    assert "peak_rss_bytes: " in outcome


@pytest.mark.exhaustive
def test_a_commit_that_runs_more_operators_is_caught_by_them_alone(gated, project):
    """Up to 95 % longer passes."""
    project.commit("Twice the work", mine__py=TWICE)
    premake(project, "HEAD~1", "HEAD")
    counted = ("--figure", "operators", "--fail-on", "95%")
    code, said, document = gated(AGAINST_PARENT, *counted)
    assert (code, document["outcome"]) == (3, "REGRESSED"), said


@pytest.mark.exhaustive
def test_a_commit_that_computes_something_else_is_caught(gated, project):
    project.commit("A little more", mine__py=WRONG)
    code, said, document = gated(AGAINST_PARENT)
    assert code == 1, said
    assert document["outcome"] == "DIFFERS"


@pytest.mark.exhaustive
def test_a_branch_is_held_against_its_last_commit_in_common_with_main(gated, project):
    project.git("checkout", "--quiet", "-b", "topic")
    project.commit("A comment more", mine__py=f"{PLUGIN}# more\n")
    project.git("checkout", "--quiet", "main")
    project.commit("Twice the work", mine__py=TWICE)
    code, said, _ = gated(BRANCH)
    assert code in (0, 4), said
    assert "A comment more" in said
    assert "Twice the work" not in said


@pytest.mark.exhaustive
def test_the_working_tree_is_held_against_the_last_commit(gated, project):
    (project.folder / "mine.py").write_text(WRONG)
    code, said, document = gated(WORKING_TREE)
    assert (code, document["outcome"]) == (1, "DIFFERS"), said


@pytest.mark.exhaustive
def test_a_comment_is_not_slower_and_its_environments_are_made_once(gated, project):
    code, said, _ = gated(AGAINST_PARENT)
    assert code in (0, 4)
    assert said.count("installing it into environment git-") == 2
    _, said, _ = gated(AGAINST_PARENT)
    assert said.count("as it was made before") == 2


@pytest.mark.exhaustive
def test_the_project_s_own_command_installs_it(gated, project):
    """Harmless: a comment."""
    code, said, document = gated(AGAINST_PARENT, "--build", "pip install --quiet .")
    assert code in (0, 4), said
    assert {row["change"] for row in document["counted"] if row["deterministic"]} == {"EQUAL"}


@pytest.mark.exhaustive
def test_a_revision_against_itself_is_installed_twice(gated):
    code, said, document = gated("gate mlp_digits --git HEAD..HEAD --wait")
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
