"""dnnbench schema: what a workload file may hold, and what an exported run holds, for editors and
validators.
"""

import json
from typing import Any

import rich_click as click

from .options import Command, output_options
from .output import Output

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WORKLOAD, RUN = "workload", "run"


@click.command("schema", cls=Command)
@click.argument("what", type=click.Choice((WORKLOAD, RUN)), default=WORKLOAD)
@output_options
@click.pass_obj
def command(output: Output, what: str, as_json: bool) -> None:
    """Print the JSON Schema of a workload file, or of a run that `dnnbench export` wrote as json.

    Point an editor's TOML or JSON plugin at the first to complete and check keys while you write.
    With --json the schema is wrapped with a schema_version, like every other command's document.

    \b
    Examples:
      dnnbench schema > workload.schema.json
      dnnbench schema run > run.schema.json
    """
    schema = _of_run() if what == RUN else _of_workload()
    if as_json:
        output.json({"schema": schema})
    else:
        output.text(json.dumps(schema, indent=2))


def _of_workload() -> dict[str, Any]:
    from ..spec.workload import Workload

    return {"$schema": DIALECT, **Workload.model_json_schema()}


def _of_run() -> dict[str, Any]:
    from ..store.formats.run_schema import schema_of_run

    return schema_of_run()
