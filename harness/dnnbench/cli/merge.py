"""dnnbench merge: bring another machine's results into a store."""

import rich_click as click

from .options import Command, output_options
from .output import Output


@click.command("merge", cls=Command)
@click.argument("target")
@click.argument("source")
@output_options
@click.pass_obj
def command(output: Output, target: str, source: str, as_json: bool) -> None:
    """Copy into store TARGET the runs that only store SOURCE holds.

    Both are SQLite files or addresses of PostgreSQL databases; TARGET is made if it is not there.
    Every row names its run and machine, so merging again adds nothing.
    SOURCE is only brought to the current schema.

    \b
    Examples:
      dnnbench merge results/dnnbench.sqlite laptop.sqlite
      dnnbench merge postgresql://team@db.example/dnnbench results/dnnbench.sqlite
    """
    from ..store.merge import merge
    from ..store.store import open_store

    with open_store(source, create=False) as outside, open_store(target) as inside:
        added = merge(inside, outside)
    if as_json:
        output.json({"target": inside.place, "source": outside.place, "added": added})
    else:
        runs = added["run"]
        output.text(
            f"{runs} run{'' if runs == 1 else 's'} added to {inside.place}, "
            f"{sum(added.values())} rows in all"
        )
