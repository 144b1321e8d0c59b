"""What the README says runs: its code, its commands and their options, its links."""

import re
from pathlib import Path

import pytest
from dnnbench.cli.main import COMMANDS, command_of

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)
LINES = [
    line.strip().partition("#")[0]
    for line in README.splitlines()
    if line.startswith("    dnnbench ")
]
CALLS = [call.split() for line in LINES for call in re.findall(r"dnnbench (?:(?!  ).)+", line)]


def test_there_is_something_to_test():
    assert len(BLOCKS) == 3
    assert len(CALLS) >= 12


def test_the_workload_builds_and_is_announced():
    scope = {}
    for block in BLOCKS[:2]:
        exec(block, scope)
    [info] = scope["dnnbench_workloads"]()
    workload = info.build()
    assert workload.name == info.name == "tiny_resnet"
    assert workload.model.types["logits"].shape == (10,)


def test_the_backend_is_announced():
    scope = {}
    exec(BLOCKS[2], scope)
    [info] = scope["dnnbench_backends"]()
    assert info.default_mode in info.modes
    assert info.target.count(":") == 1


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_every_command_and_option_exists(call):
    name, *arguments = call[1:]
    assert name in COMMANDS
    command = command_of(name)
    known = {option for parameter in command.params for option in parameter.opts}
    assert {a for a in arguments if a.startswith("-")} <= known


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_every_link_leads_somewhere(link):
    assert (ROOT / link).exists()


def test_every_command_stands_in_the_readme_or_the_changelog():
    text = README + (ROOT / "CHANGELOG.md").read_text()
    assert not [name for name in COMMANDS if name not in text]
