"""dnnbench export: one run as a file for other tools."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import rich_click as click

from ..errors import StoreError
from ..regular import home_expanded
from . import completing
from .options import Command, output_options
from .output import Output
from .work_options import STORE

FILES = (
    "csv", "json", "parquet", "pytest-benchmark", "customSmallerIsBetter", "customBiggerIsBetter",
    "bencher", "openmetrics",
)  # fmt: skip
"""Formats that are one file."""
FOLDER = "asv"
"""The format that is a folder."""


@click.command("export", cls=Command)
@click.argument("run", shell_complete=completing.runs)
@click.option(
    "--format", "form", type=click.Choice([*FILES, FOLDER]), help="[default: csv; json with --json]"
)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    help="Where to write; of asv the folder of results.  [default: stdout]",
)
@STORE
@output_options
@click.pass_obj
def command(
    output: Output, run: str, form: str | None, out: str | None, store: str, as_json: bool
) -> None:
    """Write RUN for another tool.

    RUN is an id (or its beginning), a label, a git revision, a day, a machine's name, or `latest`.
    csv, json (whose schema `dnnbench schema run` prints) and parquet (which needs pip install
    'dnnbench[parquet]') hold every cell with its statistics; pytest-benchmark's file holds every
    visit, in seconds a call;
    customSmallerIsBetter and customBiggerIsBetter are what github-action-benchmark takes as `tool`,
    bencher is Bencher's metric format, openmetrics Prometheus' text, and asv writes into a folder
    of results, for `asv publish`. --json: --format json. In csv a text that a spreadsheet would run
    as a formula (it begins with =, +, - or @) has a ' before it; numbers stand as they are.

    \b
    Examples:
      dnnbench export latest --format csv -o run.csv
      dnnbench export latest --format parquet -o run.parquet
      dnnbench export baseline --format pytest-benchmark -o base.json
      pytest-benchmark compare base.json
      dnnbench export latest --format customSmallerIsBetter -o speed.json
      dnnbench export latest --format asv -o .asv/results
    """
    from ..report.summary import summarise, summary_only
    from ..store.export import export, export_folder
    from ..store.store import open_store

    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} name two formats; give one of them")
    chosen = form or ("json" if as_json else "csv")
    if chosen == FOLDER and out is None:
        raise click.UsageError("--format asv writes a folder; name it with -o, as -o .asv/results")
    with open_store(store, create=False) as opened:
        run_id = opened.find_run(run)
        summary = summary_only(summarise(opened, run_id))
        if chosen == FOLDER:
            export_folder(opened, run_id, summary, home_expanded(str(out)))
        else:
            with _writing(out) as file:
                export(opened, run_id, chosen, summary, file)
    if out:
        output.note(f"run {run_id} written to {out}")


@contextmanager
def _writing(out: str | None) -> Iterator[TextIO]:
    """The file to write, its folders made, or stdout, which stays open."""
    from ..store.engine import refuse_to_overwrite

    if out is None:
        yield sys.stdout
        return
    path = home_expanded(out)
    try:
        refuse_to_overwrite(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise StoreError(
            f"export: {path} cannot be written ({error.strerror}); name another file with -o"
        ) from error
