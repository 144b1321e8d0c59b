"""`dnnbench bisect` from a repository to the commit, as docs/bisect.md has it: real workers in
environments made at hand.
"""

import json
import re
import shlex
from pathlib import Path

import pytest
from dnnbench.cli import exitcodes
from helpers.premade import premake
from helpers.project import HUNGRY, PLUGIN, TWICE, WRONG
from helpers.running import NEVER_CONTENDED, TINY, dnnbench

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("run")]
PAGE = (Path(__file__).parents[2] / "docs/bisect.md").read_text()
COMMANDS = re.findall(r"^    dnnbench (bisect mlp_digits .*)$", PAGE, re.M)
QUIET = NEVER_CONTENDED | {
    "dnnbench.stats.split:FEWEST": 4,
    "dnnbench.revisions.ratio_figures:FEWEST": 4,
}
FAST = ("--threads", "1", "--phase", "infer", "--json")
OF_TIME = ("--no-check", "--max-time", "3s", "--generations", "4")


@pytest.fixture
def bisected(project, tmp_path, monkeypatch):
    """(exit code, what is said, document) of a command of the page from v1.2 to HEAD, of which
    the second commit is the step; the others are comments.
    """
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    (tmp_path / "tiny.toml").write_text(TINY)
    project.git("tag", "v1.2")

    def run(step, command, *arguments):
        for number, text in enumerate((PLUGIN, step, step, step)):
            project.commit(f"Commit {number}", mine__py=f"{text}# {number}\n")
        premake(project, *[f"HEAD~{back}" for back in range(5)])
        words = shlex.split(command.replace("mlp_digits", str(tmp_path / "tiny.toml")))
        options = FAST[:2] + (() if "--phase" in words else FAST[2:4]) + FAST[4:]
        done = dnnbench(project.folder, *words, *arguments, *options, changes=QUIET, limit_s=900)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr, json.loads(done.stdout or "{}")

    return run


def test_the_page_has_a_command_for_each_figure():
    assert [re.findall(r"--by (\w+)", command) for command in COMMANDS] == [
        [], ["agreement"], ["memory"], ["kernels"],
    ]  # fmt: skip


def test_the_commit_that_computes_something_else_is_named(bisected, project, tmp_path):
    page = tmp_path / "outcome.md"
    code, said, document = bisected(WRONG, COMMANDS[1], "--markdown", str(page))
    assert code == exitcodes.OK, said
    assert document["answer"] == "NAMED"
    assert document["candidates"] == [project.git("rev-parse", "HEAD~2")]
    assert "(Commit 1): from there on mine:eager tiny/4 differs" in page.read_text()


@pytest.mark.exhaustive
def test_the_commit_that_takes_twice_the_time_is_named(bisected, project, tmp_path):
    page = tmp_path / "outcome.md"
    code, said, document = bisected(TWICE, COMMANDS[0], *OF_TIME, "--markdown", str(page))
    assert code == exitcodes.OK, said
    assert document["candidates"] == [project.git("rev-parse", "HEAD~2")]
    assert document["confirmation"]["ratio"][0] > 1.4
    assert "NAMED: " in page.read_text()


@pytest.mark.exhaustive
def test_the_commit_that_takes_more_memory_is_named(bisected, project):
    code, said, document = bisected(HUNGRY, COMMANDS[2], "--no-check")
    assert code == exitcodes.OK, said
    assert document["candidates"] == [project.git("rev-parse", "HEAD~2")]


@pytest.mark.exhaustive
def test_the_commit_that_runs_more_operators_is_named(bisected, project):
    code, said, document = bisected(TWICE, COMMANDS[3], "--no-check")
    assert code == exitcodes.OK, said
    assert document["candidates"] == [project.git("rev-parse", "HEAD~2")]


@pytest.mark.exhaustive
def test_ends_that_are_alike_are_no_bisection(bisected):
    code, said, document = bisected(PLUGIN, COMMANDS[0], *OF_TIME)
    assert code == exitcodes.NOTHING_MEASURED, said
    assert document["answer"] == "ENDS DO NOT DIFFER"
