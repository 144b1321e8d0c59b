"""dnnbench reproduce: a measured cell as a script of its framework alone."""

from typing import Any

import rich_click as click

from . import completing
from .options import Command, output_options
from .output import Output
from .work_options import STORE


@click.command("reproduce", cls=Command)
@click.argument("run", shell_complete=completing.runs)
@click.argument("cell", nargs=-1, required=True)
@click.option("-o", "--output", "out", required=True, metavar="FILE.py", help="Where to write.")
@STORE
@output_options
@click.pass_obj
def command(
    output: Output, run: str, cell: tuple[str, ...], out: str, store: str, as_json: bool
) -> None:
    """Write CELL of RUN as a script that needs its framework and NumPy, and no dnnbench.

    RUN is an id (or its beginning), a label, a git revision, or `latest`. CELL is a cell's id, or
    words that name it, in any order: an arm (torch, torch:compile), an element type (float32),
    threads (threads=2), a workload (mlp_digits, or mlp_digits/64 with its batch size), a phase.
    The script holds the network as code, a line a node, and the same loop; weights and batch lie
    beside it in FILE.npz. It prints the time of a call; `--check` writes what a call computes.
    docs/reproduce.md says what is not written yet.

    \b
    Examples:
      dnnbench reproduce latest torch mlp_digits train_step -o mlp.py
      dnnbench reproduce baseline 'jax:jit resnet50/32 infer' -o resnet.py
      python resnet.py
      python resnet.py --check outputs.npz
    """
    from ..api.reproduce import reproduce

    described = reproduce(run, " ".join(cell), out, store=store).to_json()
    if as_json:
        output.json(described)
    else:
        _print(output, described)


def _print(output: Output, described: dict[str, Any]) -> None:
    cell = f"{described['arm']} {described['workload']}/{described['batch_size']}"
    time = described["call_s"]
    measured = f", measured at {1e3 * time:.4g} ms a call" if time is not None else ""
    *others, last = described["files"]
    files = f"{', '.join(others)} and {last}" if others else last
    output.text(f"{cell} {described['phase']}{measured}, written to {files}")
    output.text(f"python {described['files'][0]} prints what a call takes now")
