"""Shell completion: names of workloads, arms and runs; cheap, and for any unfinished line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import split_arg_string
from dnnbench.cli.completing import Bash
from dnnbench.cli.main import cli
from dnnbench.plugins.discovery import plugins
from dnnbench.store.recent import recent_runs
from dnnbench.store.store import open_store
from helpers import storing
from helpers.installing import python

SHELL = "_DNNBENCH_COMPLETE"
HEAVY = ("torch", "tensorflow", "jax", "pandas", "numpy", "scipy", "sqlalchemy")


@pytest.fixture
def offered(monkeypatch):
    """What bash is offered for the last word of a line, split as bash splits it."""

    def complete(line: str) -> list[str]:
        spaced = line.replace(":", " : ").replace("=", " = ")
        words = split_arg_string(spaced) + ([""] if line.endswith(" ") else [])
        monkeypatch.setenv("COMP_WORDS", spaced)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        answers = Bash(cli, {}, "dnnbench", SHELL).complete().splitlines()
        return [answer.partition(",")[2] for answer in answers]

    return complete


def test_workloads_by_their_beginning(offered):
    assert offered("dnnbench run mlp_d") == ["mlp_digits"]
    assert set(plugins().workloads) < set(offered("dnnbench check "))


def test_sizes_behind_a_bracket(offered):
    assert "resnet50[tiny]" in offered("dnnbench show resnet50[")


def test_a_path_is_left_to_the_shell(offered, monkeypatch):
    monkeypatch.setenv("COMP_WORDS", "dnnbench run ./ne")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert Bash(cli, {}, "dnnbench", SHELL).complete() == "file,./ne"


ARMS = {
    "dnnbench run --backend num": ["numpy"],
    "dnnbench run --backend=num": ["numpy"],
    "dnnbench run --backend torch:com": ["compile"],
    "dnnbench run --backend jax:": ["jit", "eager", "plain"],
    "dnnbench gate --backend numpy,torch:com": ["compile"],
    "dnnbench conformance torch:e": ["eager"],
    "dnnbench run --base num": ["numpy"],
}


@pytest.mark.parametrize("line", ARMS)
def test_arms_as_far_as_bash_replaces_them(offered, line):
    assert set(ARMS[line]) <= set(offered(line))


def test_an_arm_of_a_list_is_not_offered_again(offered):
    assert "numpy,numpy" not in offered("dnnbench run --backend numpy,nu")
    assert "torch,numpy" in offered("dnnbench run --backend torch,nu")


def test_members_of_a_list(offered):
    assert offered("dnnbench run --phase infer,train") == ["infer,train_step"]
    assert offered("dnnbench check --dtype bf") == ["bfloat16"]


def test_runs_by_label_and_id(offered, tmp_path):
    path = tmp_path / "s.sqlite"
    with open_store(path) as store:
        storing.add_run(store, "20260101-000000-aaaa", label="before")
        storing.add_run(store, "20260102-000000-bbbb", label="\x1b[2Jx")
    assert offered(f"dnnbench compare --store {path} be") == ["before"]
    assert offered(f"dnnbench runs show --store {path} 2026010") == [
        "20260102-000000-bbbb",
        "20260101-000000-aaaa",
    ]
    names = offered(f"dnnbench runs delete --store {path} ")
    assert "latest" in names
    assert not any("\x1b" in name for name in names)


@pytest.mark.parametrize("content", [None, b"", b"not a database at all", "folder"])
def test_no_store_offers_no_run_and_no_traceback(tmp_path, content):
    path = tmp_path / "s.sqlite"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    assert recent_runs(str(path)) == []
    assert recent_runs("postgresql://user@host/database") == []


LINES = ["dnnbench run --label", "dnnbench run -b 1 -b", "dnnbench run --store a --store b ", "x "]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_wrong_or_not_whole_is_no_fault(offered, line):
    offered(line)


ASKED = """
import sys
from dnnbench.cli.main import main
try:
    main()
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "line", ["dnnbench ru", "dnnbench run ml", "dnnbench run --backend to", "dnnbench compare l"]
)
def test_a_completion_imports_nothing_heavy(line, monkeypatch):
    monkeypatch.setenv(SHELL, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    done = python("-c", ASKED)
    assert "dnnbench" in done.stderr.split()
    assert not set(HEAVY) & set(done.stderr.split())
    assert done.stdout.startswith("plain,")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_itself_completes_an_arm(tmp_path):
    """What a user types: the script is sourced, and its function answers."""
    binary = Path(sys.executable).parent / "dnnbench"
    script = f"""
    eval "$({SHELL}=bash_source dnnbench)"
    COMP_WORDS=(dnnbench run --backend torch : com); COMP_CWORD=5
    _dnnbench_completion dnnbench
    echo "${{COMPREPLY[@]}}"
    """
    path = os.pathsep.join([str(binary.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["compile"], done.stderr
