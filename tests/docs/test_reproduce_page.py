"""docs/reproduce.md: its commands are run one after the other, on NumPy."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dnnbench.cli.main import main
from dnnbench.plugins.catalog import find_workload
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import weights_of
from helpers.scripting import arm_of, write

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reproduce.md").read_text()
COMMANDS = re.findall(r"^    (dnnbench .*|python .*)$", PAGE, re.M)
LINES = re.findall(r"^    (x = .*)$", PAGE, re.M)
pytestmark = [pytest.mark.xdist_group("reproduce page")]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(the folder where the commands ran, what each script printed)"""
    folder, printed = tmp_path_factory.mktemp("page"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DNNBENCH_LOCK", str(folder / "lock"))
        for command in COMMANDS:
            name, *arguments = shlex.split(command)
            if name == "dnnbench":
                assert main(arguments) == 0, command
            else:
                script = [sys.executable, *arguments]
                ran = subprocess.run(script, capture_output=True, text=True, check=True)
                printed.append(ran.stdout)
    return folder, printed


def test_there_is_something_to_run():
    assert (len(COMMANDS), len(LINES)) == (4, 3)


@pytest.mark.slow
def test_the_script_prints_a_time(done):
    _, printed = done
    number, *unit = printed[0].split()
    assert (float(number) > 0, unit) == (True, ["ms", "a", "call"])


@pytest.mark.slow
def test_the_script_writes_what_a_call_computes(done):
    folder, _ = done
    with np.load(folder / "answers.npz") as answers:
        assert {"loss", "outputs/logits", "weights/fc1.weight"} <= set(answers)


def test_the_lines_shown_are_those_of_a_script(tmp_path):
    workload = find_workload("cnn_digits")
    [batch] = batches_of(workload, count=1, size=2)
    arm = arm_of("torch", "eager")
    cell = write(tmp_path, "made", arm, workload, "infer", batch, weights_of(workload))
    written = [text.strip() for text in cell.path.read_text().splitlines()]
    assert [text for text in LINES if text not in written] == []


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_every_link_leads_somewhere(link):
    assert (ROOT / "docs" / link).exists()
