"""dnnbench export-model: a network as an ONNX file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..errors import UsageError
from ..regular import home_expanded
from .options import Command, output_options
from .output import Output
from .work_options import SEED

if TYPE_CHECKING:
    from ..exchange.network import Network, Port
    from ..spec.workload import Workload

TYPES = ("float32", "float64")


@click.command("export-model", cls=Command)
@click.argument("workload")
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
    from ..exchange.network import network
    from ..exchange.proto import require_onnx
    from ..execution.weights_file import load_weights
    from ..plugins.catalog import find_workload
    from ..spec.weights import initial_weights

    require_onnx()
    named = find_workload(workload)
    arrays = load_weights(weights, named) if weights else initial_weights(named.model, seed)
    exported = network(named, arrays, dtype)
    origin = str(weights or f"initial weights of seed {seed}")
    files = _written(exported, named, home_expanded(out), origin)
    described = _described(exported, named, files, origin)
    if as_json:
        output.json(described)
    else:
        _print(output, described)


def _written(exported: "Network", workload: "Workload", path: Path, origin: str) -> list[Path]:
    from ..exchange.proto import save_network
    from ..store.engine import refuse_to_overwrite

    facts = {
        "workload": workload.name,
        "spec_hash": workload.model.spec_hash,
        "weights": Path(origin).name,
    }
    refuse_to_overwrite(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return save_network(exported, path, facts)
    except OSError as error:
        raise UsageError(
            f"export-model: {path} cannot be written ({error.strerror}); name another file with -o"
        ) from error


def _described(
    exported: "Network", workload: "Workload", files: list[Path], origin: str
) -> dict[str, Any]:
    """What `--json` says of the file."""
    from ..exchange.proto import OPSET

    return {
        "workload": workload.name,
        "spec_hash": workload.model.spec_hash,
        "weights": origin,
        "files": [str(path) for path in files],
        "bytes": sum(path.stat().st_size for path in files),
        "opset": OPSET,
        "operators": len(exported.graph.steps),
        "inputs": [_port(port) for port in exported.inputs],
        "outputs": [_port(port) for port in exported.outputs],
    }


def _port(port: "Port") -> dict[str, Any]:
    return {"name": port.name, "shape": ["N", *port.shape], "dtype": port.dtype}


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
