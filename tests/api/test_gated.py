"""The gate, called from Python: a copy that computes more is told by what it returns."""

import json
import subprocess
import sys

import dnnbench
import pytest
from dnnbench.errors import UsageError
from helpers.running import TINY, environment


def test_one_arm_is_no_gate():
    with pytest.raises(UsageError, match="got one arm, numpy:eager; name two or more"):
        dnnbench.gate("mlp_digits", backend="numpy", threads=1)


def test_generations_below_the_gate_s_least_are_refused():
    with pytest.raises(UsageError, match="generations: got '1', expected a number from"):
        dnnbench.gate("mlp_digits", backend="numpy,torch", generations=1, threads=1)


CALLED = """
import json
import dnnbench
from dnnbench.stats import estimates
from dnnbench.store.store import open_store
estimates.CONTENDED = 0  # the machine that tests run on is never quiet
gated = dnnbench.gate(
    "tiny.toml", backend="saboteur:slow,numpy", base="numpy", phase="train_step", threads=1,
    max_time="3s", generations=6, wait=True, label="ci", progress=False,
)
with open_store("results/dnnbench.sqlite", create=False) as store:
    runs = store.runs().set_index("run_id")
    checks = [store.agreement(run).drop(columns="run_id") for run in runs.index]
print(json.dumps({
    "statuses": list(runs["status"]),
    "first_run": runs.index[0],
    "confirms": runs.iloc[1]["settings"]["confirms"],
    "compared": [len(check) for check in checks],
    "checks_are_equal": bool(checks[0].equals(checks[1])),
    "answer": gated.answer,
    "passed": gated.passed,
    "cells": gated.cells.to_dict("records"),
    "markdown": gated.to_markdown(),
    "html": gated._repr_html_(),
    "runs": [run.label for run in dnnbench.load()],
}))
"""


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    """A gate of a copy of NumPy whose step takes about twice as long."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "tiny.toml").write_text(TINY)
    done = subprocess.run(
        [sys.executable, "-c", CALLED],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.exhaustive  # two stages of six generations: the command line's are measured often
@pytest.mark.xdist_group("run")
class TestOfASlowerCopy:
    def test_the_answer_is_slower(self, gated):
        assert (gated["answer"], gated["passed"]) == ("SLOWER", False)

    def test_its_cell_has_both_stages(self, gated):
        [cell] = gated["cells"]
        assert (cell["arm"], cell["outcome"]) == ("saboteur:slow", "SLOWER")
        assert cell["screen_value"] > 1.5
        assert cell["confirm_value"] > 1.5
        assert cell["p"] <= cell["holm_threshold"]

    def test_markdown_says_so_first(self, gated):
        heading, *_ = gated["markdown"].splitlines()
        assert heading.startswith("## SLOWER: 1 of 1 cell takes longer than on numpy:eager")
        assert "| tiny/4 train\\_step |" in gated["markdown"]

    def test_a_notebook_shows_the_same(self, gated):
        assert "SLOWER: 1 of 1 cell" in gated["html"]

    def test_both_stages_have_the_generations_asked_for(self, gated):
        [cell] = gated["cells"]
        assert (cell["screen_generations"], cell["confirm_generations"]) == (6, 6)

    def test_both_runs_are_recorded(self, gated):
        assert gated["runs"] == ["ci", "ci-confirmation"]

    def test_both_are_complete(self, gated):
        assert gated["statuses"] == ["complete", "complete"]

    def test_the_second_names_the_first(self, gated):
        assert gated["confirms"] == gated["first_run"]

    def test_the_first_compared_something(self, gated):
        assert gated["compared"][0] > 0

    def test_the_second_has_the_check_of_the_first(self, gated):
        assert gated["checks_are_equal"]
