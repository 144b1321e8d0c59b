"""docs/install.md: extras, distributions and lowest versions are those of pyproject.toml, and its
commands are followed.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OF_DEVELOPERS = {"docs", "test"}
NAMES = {
    "PyTorch": "torch",
    "JAX": "jax",
    "Optax": "optax",
    "TensorFlow": "tensorflow",
    "NumPy": "numpy",
    "vl-convert": "vl-convert-python",
}
"""Distributions that the page calls by another name."""
PASSED = " ".join(PAGE.partition("lowest versions of an extra's")[2].partition("\n\n")[0].split())
LOWEST = re.findall(r"\b([A-Za-z][\w-]+) (\d[\d.]*\d)(?![-\d])", PASSED.replace("Python 3.11", ""))
COMPLETIONS = re.findall(r"^ {4}(.*_DNNBENCH_COMPLETE=(\w+)_source.*?)(?: +#.*)?$", PAGE, re.M)
REGISTERS = {"bash": "complete -", "zsh": "compdef ", "fish": "complete --"}


def requirements():
    """(distribution, its lowest version) of dnnbench and of every extra."""
    every = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
    parsed = [Requirement(one) for one in every]
    return {one.name: next((at.version for at in one.specifier), None) for one in parsed}


def test_the_page_names_every_extra():
    named = set(re.findall(r"\[(\w+)\]", PAGE.partition("\n## ")[0]))
    assert named == set(EXTRAS) - OF_DEVELOPERS


def test_the_table_has_every_distribution_that_dnnbench_needs():
    rows = re.findall(r"^\| ([^|]+) \| \d+ \|", PAGE, re.M)
    named = {word for row in rows for word in re.findall(r"[\w-]+", row)}
    needed = {Requirement(one).name for one in PROJECT["dependencies"]}
    assert needed - {"safetensors"} - named == set()


def test_the_lowest_versions_that_passed_are_those_of_the_project():
    lowest = requirements()
    assert len(LOWEST) == 10
    wrong = [
        f"{name} {version}"
        for name, version in LOWEST
        if Version(version) != Version(lowest[NAMES.get(name, name)])
    ]
    assert wrong == []


def test_there_is_a_completion_for_each_shell():
    assert [shell for _, shell in COMPLETIONS] == list(REGISTERS)


@pytest.mark.parametrize(("line", "shell"), COMPLETIONS, ids=list(REGISTERS))
def test_the_line_for_a_shell_writes_what_registers_a_completion(tmp_path, line, shell):
    command = re.sub(r"^eval |[\"$()]| > .*", "", line)
    assert command == f"_DNNBENCH_COMPLETE={shell}_source dnnbench"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert REGISTERS[shell] in done.stdout, done.stderr


def test_the_script_of_the_page_prints_the_lowest_versions_of_an_extra():
    command = [sys.executable, ROOT / ".ci" / "lowest", "torch"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"torch=={requirements()['torch']}" in done.stdout.splitlines()
