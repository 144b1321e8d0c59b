"""Help and light commands import little and say what there is."""

import pytest
from dnnbench.cli.main import COMMANDS, main
from helpers.installing import dnnbench, python

HEAVY = ("torch", "tensorflow", "jax", "pandas", "numpy", "scipy", "sqlalchemy")


LOADED = """
import sys
from dnnbench.cli.main import main
try:
    code = main({arguments!r})
except SystemExit as end:
    code = end.code
print(code, *(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list", "backends"],
        ["list", "workloads"],
        ["show", "--help"],
        ["schema"],
    ],
)
def test_light_commands_import_nothing_heavy(arguments):
    done = python("-c", LOADED.format(arguments=arguments, heavy=HEAVY))
    assert done.stderr.split() == ["0"]
    assert done.stdout


def test_help_imports_no_command_and_no_spec():
    start = "import sys\nfrom dnnbench.cli.main import main\n"
    loaded = python(
        "-c", start + "main(['--help'])\nprint(*sys.modules, file=sys.stderr)"
    ).stderr.split()
    assert not [name for name in loaded if name == "pydantic" or name.startswith("dnnbench.spec")]
    assert not [
        name
        for name in loaded
        if name.replace("_", "-") in {f"dnnbench.cli.{command}" for command in COMMANDS}
    ]


def test_help_lists_every_command():
    text = dnnbench("--help").stdout
    assert COMMANDS
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches(command, capsys):
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Example" in said
    assert f"dnnbench {command}" in said
    assert "--json" in said


@pytest.mark.parametrize("module", ["dnnbench", "dnnbench.cli.main"])
def test_version(module):
    from dnnbench import __version__

    assert python("-m", module, "--version").stdout.split() == ["dnnbench,", "version", __version__]


def test_the_installed_script_is_this_main():
    from importlib.metadata import entry_points

    [script] = entry_points(group="console_scripts", name="dnnbench")
    assert script.load() is main
