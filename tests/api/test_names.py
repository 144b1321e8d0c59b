"""What `import dnnbench` gives: its names, whatever else is imported, and what it imports."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import dnnbench
import pytest

NAMES = [name for name in dnnbench.__all__ if name != "__version__"]
PAGE = Path(__file__).parents[2] / "docs" / "python.md"
OPTIONAL = ("dnnbench.testing.pytest_plugin", "dnnbench.testing.test_conformance")
"""Imported by pytest alone."""
LIGHT = """
import sys
before = set(sys.modules)
import dnnbench
loaded = sys.modules.keys() - before
print(sorted(name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names))
"""
TOUCHED = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
import dnnbench
print([name for name in dnnbench.__all__ if type(getattr(dnnbench, name)).__name__ == "module"])
"""


def submodules():
    modules = pkgutil.walk_packages(dnnbench.__path__, "dnnbench.")
    return [m.name for m in modules if not m.name.endswith("__main__") and m.name not in OPTIONAL]


def test_no_module_binds_itself_over_a_name():
    done = subprocess.run(
        [sys.executable, "-c", TOUCHED, *submodules()], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_no_module_directly_below_bears_a_public_name(name):
    assert not any(module.name == name for module in pkgutil.iter_modules(dnnbench.__path__))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_called(name):
    assert callable(getattr(dnnbench, name))


def test_editors_see_the_names_that_are_there():
    tree = ast.parse(Path(dnnbench.__file__).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If) and not node.orelse][:1]
    seen = {alias.name for node in block.body for alias in node.names}
    assert seen == set(NAMES) == set(dnnbench._HOMES)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'rnu'"):
        _ = dnnbench.rnu


def test_the_import_brings_nothing_but_python_s_own_modules():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['dnnbench']"


def options(command):
    module = importlib.import_module(f"dnnbench.cli.{command}")
    return {re.sub("^no_", "", p.name) for p in module.command.params}


SHOWN_BY_THE_TERMINAL = {"as_json", "quiet", "verbose", "dry_run", "details", "report", "help"}
SHOWN_BY_THE_TERMINAL |= {"find_batch", "markdown", "junit", "annotations"}
BY_A_FILE = {"suite"}
"""What only the command line reads: settings of a project."""


@pytest.mark.parametrize("command", ["run", "check", "train", "predict", "compare", "gate"])
def test_a_function_takes_what_its_command_takes(command):
    code = getattr(dnnbench, command).__code__
    arguments = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    assert arguments - {"progress"} == options(command) - SHOWN_BY_THE_TERMINAL - BY_A_FILE
