"""The command `dnnbench`: knows the commands by name and line, and imports one only to run it."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import rich_click as click

from .. import __version__
from ..wording import near_miss
from . import exitcodes
from .failures import exit_code_of, quiet_if_reader_left
from .interrupts import ended_by_signals
from .output import Output
from .streams import open_closed_streams

SHELL_ASKS = "_DNNBENCH_COMPLETE"
"""Set by a shell that completes a line."""
COMMANDS = {
    "run": "Check that all arms agree, then time training and inference.",
    "gate": "Fail if a candidate is slower than the base for certain: for CI.",
    "bisect": "Which commit, or release of a package, made it slower, wrong or larger.",
    "baseline": "Figures that a project keeps in git, and what a run changes of them.",
    "check": "Numerical agreement alone.",
    "conformance": "What a backend supports, what is wrong with it, by how much.",
    "train": "Train to the target on every backend, and see that they learn alike.",
    "predict": "What trained weights predict, on every backend.",
    "report": "One offline HTML page about recorded runs.",
    "runs": "Recorded runs: list them, show one again, name or delete one.",
    "compare": "Two recorded runs, cell by cell; exit 3 when slower for certain.",
    "history": "Each cell from run to run, and where it became slower; exit 3 if just now.",
    "export": "One run as csv, json, parquet, or the file of another benchmarking tool.",
    "import": "Results of pytest-benchmark and asv, as runs of a store.",
    "export-model": "A network as an ONNX file, for ONNX Runtime and others.",
    "reproduce": "A measured cell as a script of its framework alone.",
    "merge": "Bring another machine's results into a store.",
    "machine": "The machines that a store knows, and names for them.",
    "show": "Layers, shapes, parameters, operations and bytes of a network.",
    "list": "Backends, workloads and devices.",
    "schema": "JSON Schema of a workload file, or of an exported run.",
    "config": "What is set for this folder, and where each value came from.",
    "init": "Write a file of settings, and a workflow that gates with it.",
    "envs": "Other Python environments, to compare versions of a framework.",
    "doctor": "What is installed, what this machine can measure, what to fix.",
}


def command_of(name: str) -> click.RichCommand:
    """The command of that name, imported from the file that bears it."""
    command: click.RichCommand = import_module(f"{__package__}.{name.replace('-', '_')}").command
    return command


class Commands(click.RichGroup):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return click.RichCommand(name=cmd_name, short_help=COMMANDS[cmd_name])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, *rest = args
        if name not in COMMANDS:
            ctx.fail(f"no command is called '{name}'{near_miss(name, COMMANDS)}")
        from .configured import configure

        command = command_of(name)
        configure(ctx, name, command, rest)
        return name, command, rest

    @quiet_if_reader_left
    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        return super().make_context(*arguments, **options)

    @quiet_if_reader_left
    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dnnbench", help="Show the version and stop.")
def cli() -> None:
    """The same network, every framework, one number you can trust.

    \b
    Examples:
      dnnbench run --backend all
      dnnbench list backends
      dnnbench show mlp_digits --batch-size 1

    Data goes to stdout (as JSON with --json), everything else to stderr. Exit codes:
    0 ok, 1 a cell failed, or differs from the reference, 2 usage, 3 slower for certain, 4 nothing
    could be measured, 130 interrupted (by Ctrl-C, SIGTERM or SIGHUP; what was measured is kept).

    An option of one value is given once; a list takes commas, or the option again. Defaults of a
    project stand in dnnbench.toml: dnnbench config shows them.
    A shell completes names after eval "$(_DNNBENCH_COMPLETE=bash_source dnnbench)"; or zsh_source,
    fish_source.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; raises no Exception.

    Without `arguments`, sys.argv's, as the last thing that this process does.
    """
    if arguments is None:
        open_closed_streams()
    if SHELL_ASKS in os.environ:
        from .completing import register

        register()
    output = Output()
    with ended_by_signals():
        code = exit_code_of(
            lambda: cli.main(arguments, "dnnbench", standalone_mode=False, obj=output), output
        )
    if (
        arguments is None and code != exitcodes.READER_GONE
    ):  # what the reader left is still in Python's buffer
        output.end()
    return code


if __name__ == "__main__":
    sys.exit(main())
