"""What the README and the pages of commands and workloads say runs: code and links."""

import re
from pathlib import Path

import pytest
from dnnbench.cli.main import COMMANDS
from dnnbench.plugins.catalog import find_workload

ROOT = Path(__file__).parents[2]
NAMES = ("README.md", "docs/commands.md", "docs/workloads.md", "docs/own_network.md")
PAGES = [ROOT / name for name in NAMES]
TEXT = "\n".join(page.read_text() for page in PAGES)
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.S)
LINKS = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())]


def test_there_is_something_to_test():
    assert len(BLOCKS) == 2
    assert len(LINKS) >= 20
    assert "examples/net.py:make_net" in TEXT


def test_the_workload_builds_and_is_announced():
    scope = {}
    for block in BLOCKS:
        exec(block, scope)
    [info] = scope["dnnbench_workloads"]()
    workload = info.build()
    assert workload.name == info.name == "tiny_resnet"
    assert workload.model.types["logits"].shape == (10,)


@pytest.mark.parametrize(("page", "link"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_every_link_leads_somewhere(page, link):
    assert (page.parent / link).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"examples/\S+\.py:\w+", TEXT))))
def test_a_network_in_a_file_of_the_examples_is_there(name):
    workload = find_workload(str(ROOT / name))
    assert workload.model.types["logits"].shape == (10,)


def test_every_command_stands_in_the_list_of_commands():
    commands = (ROOT / "docs/commands.md").read_text()
    assert [name for name in COMMANDS if f"dnnbench {name}" not in commands] == []
