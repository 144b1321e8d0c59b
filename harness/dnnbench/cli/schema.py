"""dnnbench schema: what a workload file may hold, for editors and validators."""

import json

import rich_click as click

from .options import Command, output_options
from .output import Output

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@click.command("schema", cls=Command)
@output_options
@click.pass_obj
def command(output: Output, as_json: bool) -> None:
    """Print the JSON Schema of a workload file.

    Point an editor's TOML or JSON plugin at it to complete and check keys while you write.
    With --json the schema is wrapped with a schema_version, like every other command's document.

    \b
    Examples:
      dnnbench schema > workload.schema.json
    """
    from ..spec.workload import Workload

    schema = {"$schema": DIALECT, **Workload.model_json_schema()}
    if as_json:
        output.json({"schema": schema})
    else:
        output.text(json.dumps(schema, indent=2))
