"""docs/gate.md: its figures follow from the rule, and its commands are followed on NumPy."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from dnnbench.stats.estimates import smallest_difference
from helpers.gates import ALPHA, OTHER, THETA, share
from helpers.page_commands import commands_of, words_of
from helpers.project import PLUGIN, PROJECT, Project
from helpers.running import NEVER_CONTENDED, dnnbench

COLUMNS = [(generations, flagged) for generations in (6, 10, 20) for flagged in (1, 5)]
"""Of the page's table."""
PAGE = (Path(__file__).parents[2] / "docs/gate.md").read_text()


def test_the_page_tells_what_a_confirmation_finds():
    rows = [
        line.strip("| ").split(" | ")
        for line in PAGE.splitlines()
        if re.match(r"\| \d\.\d % \|", line)
    ]
    assert len(rows) == 4
    for spread, *found in rows:
        assert found == [
            f"{seen(share(spread), *columns):.1%}".replace("%", " %") for columns in COLUMNS
        ]


def seen(spread, generations, flagged):
    """The smallest slowdown, where the effects have exactly this standard deviation."""
    effects = np.linspace(-1, 1, generations)
    return smallest_difference(effects * spread / effects.std(ddof=1), THETA, alpha=ALPHA / flagged)


# Its commands, each in one generation.

NET = """
from dnnbench import Builder

def make_net():
    net = Builder("small")
    x = net.relu(net.dense(net.input("x", (64,)), units=128))
    return net.build(net.dense(x, units=10))
"""
DEEPER = NET.replace("    return", "    x = net.relu(net.dense(x, units=128))\n    return")
"""The page's example: one more layer of 128 units and a relu."""
COMMANDS = list(dict.fromkeys(shlex.join(words_of(text)) for text in commands_of(PAGE)))
NOT_RUN = [command for command in COMMANDS if command.startswith("envs create ")]
"""Ask a package index."""
SHOWN = [command for command in COMMANDS if "--details" in command]
"""The page's example, and what the store has of it."""
CHEAP = "--threads 1 --phase infer --max-time 0.3s --generations 1 --no-check --fail-on 95% --wait"
SMALLER = [
    (r"--backend torch@before,torch@after|--backend jax,\S+", f"--backend numpy,{OTHER}"),
    (r"--backend torch", "--backend numpy"),
    (r" --(threads|max-time|generations|fail-on|must-see) \S+| --wait", ""),
    (r"^gate (mlp_digits )?(cnn_digits )?", r"gate \1"),
    (r"^gate .*", rf"\g<0> {CHEAP}"),
]
"""What makes a command cheap: NumPy in the place of frameworks, and one generation of one phase,
which flags nothing.
"""
FEW = NEVER_CONTENDED | {"dnnbench.stats.split:FEWEST": 1}
MEASURED = (0, 3, 4)
"""Exit codes of a gate that ran, whatever it found."""


def smaller(command):
    for pattern, text in SMALLER:
        command = re.sub(pattern, text, command)
    return shlex.split(command)


@pytest.fixture(scope="module")
def deeper(tmp_path_factory):
    """A repository that has nothing for pip to install, whose working tree has one more layer."""
    made = Project(tmp_path_factory.mktemp("network"))
    made.commit("A network", net__py=NET)
    (made.folder / "net.py").write_text(DEEPER)
    return made.folder


@pytest.fixture(scope="module")
def shown(deeper, tmp_path_factory):
    """How the page's example ended, and what was shown of it afterwards."""
    variables = {"DNNBENCH_ENVS": str(tmp_path_factory.mktemp("envs"))}
    return [dnnbench(deeper, *smaller(each), changes=FEW, **variables) for each in SHOWN]


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_the_example_of_the_page_ends_as_it_says(shown):
    gate, again = shown
    assert gate.stdout.startswith("REGRESSED: operators grew in 1 of 1 cell"), gate.stderr
    assert again.stdout.startswith("REGRESSED: operators grew in 1 of 1 cell"), again.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_the_example_counts_the_operators_of_the_page(shown):
    row = r"small/64 infer +operators +(\d+) +(\d+) MORE"
    assert re.findall(row, shown[0].stdout) == re.findall(row, PAGE)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A repository of a backend that pip can install, with a branch and a changed network."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.commit("A backend", pyproject__toml=PROJECT, mine__py=PLUGIN, net__py=NET)
    made.commit("A comment", mine__py=f"{PLUGIN}# said\n")
    made.git("checkout", "--quiet", "-b", "topic")
    made.commit("Another", mine__py=f"{PLUGIN}# said again\n")
    made.git("checkout", "--quiet", "main")
    (made.folder / "net.py").write_text(DEEPER)
    return made.folder


@pytest.mark.exhaustive
@pytest.mark.xdist_group("run")
def test_every_other_command_of_the_page_measures(project, tmp_path):
    ended = {
        command: dnnbench(
            project, *smaller(command), changes=FEW, limit_s=900, DNNBENCH_ENVS=str(tmp_path)
        )
        for command in COMMANDS
        if command not in (*NOT_RUN, *SHOWN)
    }
    assert len(ended) > 5
    bad = {text: done.stderr for text, done in ended.items() if done.returncode not in MEASURED}
    assert bad == {}
