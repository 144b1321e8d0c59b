"""dnnbench init: a file of settings, its schema, and a workflow that gates with it."""

import sys
from pathlib import Path

import rich_click as click

from ..errors import UsageError
from ..regular import is_there
from .options import Command, output_options
from .output import Output

PLACES = ("github", "gitlab", "none")


@click.command("init", cls=Command)
@click.option("--workloads", metavar="NAME,...", help="What to measure: names, files, net.py:NAME.")
@click.option(
    "--backend",
    metavar="NAME,...",
    help="Which backends; none for those that the project announces.",
)
@click.option("--ci", type=click.Choice(PLACES), help="Whose workflow to write.")
@output_options
@click.pass_obj
def command(
    output: Output, workloads: str | None, backend: str | None, ci: str | None, as_json: bool
) -> None:
    """Write dnnbench.toml, and a workflow that gates each change with it.

    At a terminal three questions are asked for what no option says. Nothing is overwritten. Beside
    it lies dnnbench.schema.json, by which editors complete and check its keys.

    \b
    Examples:
      dnnbench init
      dnnbench init --workloads mlp_digits,net.py:make_net --backend torch --ci github
    """
    from ..configuration.reading import OWN, find_source
    from ..configuration.starting import SCHEMA, schema_text, settings_text, workflow_of

    there = find_source(Path.cwd())
    if there is not None and there.path.parent == Path.cwd():
        raise UsageError(f"init: {there.where} has settings already; `dnnbench config` shows them")
    workloads = _answer(
        workloads, "workloads", "Which workloads? Names, files, net.py:NAME", "mlp_digits"
    )
    backend = _answer(backend, "backend", "Which backends? Empty: what the project announces", "")
    ci = _answer(ci, "ci", f"A workflow for {', '.join(PLACES)}", "github")
    if ci not in PLACES:
        raise UsageError(f"init: got '{ci}', expected one of {', '.join(PLACES)}")
    files = {OWN: settings_text(workloads, backend), SCHEMA: schema_text(), **workflow_of(ci)}
    for name in files:
        if is_there(Path(name)):
            raise UsageError(f"init: {name} is there already, and is not overwritten")
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    if as_json:
        output.json({"files": list(files)})
    else:
        output.text("\n".join(files))
    output.note(
        "`dnnbench config` shows what is set; `dnnbench gate --suite ci --git main...HEAD` tries it"
    )


def _answer(value: str | None, option: str, question: str, default: str) -> str:
    """The option's value, else the answer at a terminal.

    Where nobody can be asked, UsageError unless the question may be left open.
    """
    if value is not None:
        return value
    if not sys.stdin.isatty():
        if not default:
            return default
        raise UsageError(f"init: nobody to ask at this terminal; add --{option}")
    return str(click.prompt(question, default=default, err=True, show_default=bool(default)))
