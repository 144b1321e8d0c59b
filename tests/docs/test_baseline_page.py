"""docs/baseline.md is executed: its commands one after the other, in a folder of their own."""

import re
import shlex
from pathlib import Path

import pytest
from helpers.running import dnnbench

PAGE = (Path(__file__).parents[2] / "docs" / "baseline.md").read_text()
COMMANDS = re.findall(r"^    dnnbench (.*)$", PAGE, re.M)
CHEAP = "--threads 1 --phase infer --max-time 1s --report none"


def test_the_page_has_every_command():
    assert {" ".join(command.split()[:2]) for command in COMMANDS} == {
        *("baseline save", "baseline list", "baseline check", "baseline update"),
        "run mlp_digits",
    }


@pytest.mark.exhaustive  # tests/track/test_baseline.py gives the same commands recorded runs
@pytest.mark.xdist_group("run")
def test_every_command_ends_well(tmp_path):
    ended = {}
    for number, command in enumerate(COMMANDS):
        cheap = f"{command} {CHEAP}" if command.startswith("run ") else command
        ended[number, command] = dnnbench(tmp_path, *shlex.split(cheap))
    assert {text: done.stderr for text, done in ended.items() if done.returncode} == {}
    assert "times: INCONCLUSIVE" in "".join(done.stdout for done in ended.values())
