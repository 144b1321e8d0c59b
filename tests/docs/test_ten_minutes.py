"""docs/tutorial.md is executed: its commands one after the other, in a folder of their own."""

import re
import shlex
from pathlib import Path

import pytest
from dnnbench.cli.main import COMMANDS
from helpers.running import dnnbench

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
COMMANDS_OF_PAGE = re.findall(r"^    dnnbench (.*)$", PAGE, re.M)
[NETWORK] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
ON_NUMPY = {
    "numpy,torch": "numpy",
    "--max-time 20s": "--max-time 1s --generations 1 --no-check --wait",
    "--quick": "--quick --max-time 1s --no-check --wait",
}
"""What makes the commands cheap: one backend, a second, one generation, one check."""


def executed(place, changes):
    """How each command of the page ended, by its text."""
    (place / "net.py").write_text(NETWORK)
    ended = {}
    for command in COMMANDS_OF_PAGE:
        changed = command
        for old, new in changes.items():
            changed = changed.replace(old, new)
        if "--backend" in command:
            changed += " --threads 1"
        ended[command] = dnnbench(place, *shlex.split(changed))
    return ended


def test_the_page_has_commands():
    assert {command.split()[0] for command in COMMANDS_OF_PAGE} >= {
        *("list", "show", "check", "run", "runs", "report", "train", "predict")
    }
    assert {command.split()[0] for command in COMMANDS_OF_PAGE} <= set(COMMANDS)


@pytest.mark.exhaustive  # the like of each runs in test_howto_pages.py
def test_every_command_ends_well_on_numpy(tmp_path):
    ended = executed(tmp_path, ON_NUMPY)
    assert {text: done.stderr for text, done in ended.items() if done.returncode} == {}


@pytest.mark.exhaustive
def test_every_command_ends_well_as_the_page_has_it(tmp_path):
    ended = executed(tmp_path, {"--label": "--wait --label"})
    assert {text: done.stderr for text, done in ended.items() if done.returncode} == {}
