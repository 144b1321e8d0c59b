"""dnnbench export-model: a network as an ONNX file."""

from typing import Any

import rich_click as click

from . import completing
from .options import Command, output_options
from .output import Output
from .work_options import SEED

TYPES = ("float32", "float64")


@click.command("export-model", cls=Command)
@click.argument("workload", shell_complete=completing.workloads)
@click.option("-o", "--output", "out", required=True, metavar="FILE", help="Where to write.")
@click.option(
    "--weights",
    metavar="FILE",
    help="Weights from `dnnbench train WORKLOAD --save FILE`.  [default: initial ones]",
)
@click.option(
    "--dtype",
    type=click.Choice(TYPES),
    default=TYPES[0],
    show_default=True,
    help="Of weights, inputs and outputs that float.",
)
@SEED
@output_options
@click.pass_obj
def command(
    output: Output,
    workload: str,
    out: str,
    weights: str | None,
    dtype: str,
    seed: int,
    as_json: bool,
) -> None:
    """Write WORKLOAD in ONNX, as it infers, for ONNX Runtime and whatever else reads that.

    WORKLOAD is a name from `dnnbench list workloads`, a .toml or .json file, or net.py:NAME. The
    file takes any number of examples; inputs and outputs bear the network's names, shapes and order
    of axes, and `prediction` is the class where the loss has one. onnx checks what was written.
    More than 2 GiB of weights go into FILE.data beside it. docs/onnx.md says how ops are written.

    \b
    Examples:
      dnnbench export-model 'resnet50[batch=1]' -o resnet50.onnx
      dnnbench train cnn_digits --backend torch --save cnn.safetensors
      dnnbench export-model cnn_digits --weights cnn.safetensors -o cnn.onnx
    """
    from ..api.export_model import export_model

    described = export_model(workload, out, weights=weights, dtype=dtype, seed=seed).to_json()
    if as_json:
        output.json(described)
    else:
        _print(output, described)


def _print(output: Output, described: dict[str, Any]) -> None:
    from ..report.quantity import scaled

    size = scaled(described["bytes"], "B")
    output.text(
        f"{described['workload']} written to {' and '.join(described['files'])}: "
        f"{described['operators']} operators of opset {described['opset']}, {size}, "
        f"{described['weights']}"
    )
    for way in ("inputs", "outputs"):
        for port in described[way]:
            shape = ", ".join(map(str, port["shape"]))
            output.text(f"  {way[:-1]:<6}  {port['name']} ({shape}) {port['dtype']}")
