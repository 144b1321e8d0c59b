"""dnnbench show: what a network is made of and what it costs on paper."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from ..report.quantity import scaled
from . import completing
from .options import Command, output_options
from .output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from ..spec.costs import NodeCost
    from ..spec.losses import Loss
    from ..spec.model import Model, Node
    from ..spec.optimizers import Optimizer
    from ..spec.workload import Workload

BATCH_SIZE = click.IntRange(1, 1_000_000)


@click.command("show", cls=Command)
@click.argument("workload", shell_complete=completing.workloads)
@click.option(
    "-b", "--batch-size", type=BATCH_SIZE, help="Examples a step.  [default: the workload's own]"
)
@click.option(
    "--backward",
    is_flag=True,
    help="Show the formulas of the backward pass, too, from the loss to the first layer.",
)
@output_options
@click.pass_obj
def command(
    output: Output, workload: str, batch_size: int | None, backward: bool, as_json: bool
) -> None:
    """Show the layers of WORKLOAD: shapes, parameters, multiply-adds, bytes, mathematics.

    WORKLOAD is a name from `dnnbench list workloads`, a .toml or .json file, or net.py:NAME.
    Nothing is run and nothing is allocated: the figures are counted from shapes
    (float32, a tensor moves once for each layer that reads or writes it).

    \b
    Examples:
      dnnbench show cnn_digits
      dnnbench show mlp_digits --backward
      dnnbench show my_network.toml --batch-size 1 --json
    """
    from ..plugins.catalog import find_workload

    network = find_workload(workload)
    described = describe(network, batch_size or network.batch_size)
    if as_json:
        output.json(described)
    else:
        _print(output, described)
        if backward:
            _print_backward(output, described)


def describe(workload: "Workload", batch_size: int) -> dict[str, Any]:
    """Everything that `show` prints, as plain data:
    FLOPs, MACs and bytes are for the whole batch.
    """
    from ..spec.costs import inference, node_costs, parameter_count, training_step
    from .formulas import backward_of_loss

    model, task = workload.model, workload.task
    costs = node_costs(model, batch_size)
    step = training_step(workload, batch_size)
    totals = {"inference": inference(model, batch_size)._asdict(), "training_step": step._asdict()}
    return {
        "workload": workload.name,
        "description": workload.description,
        "spec_hash": workload.spec_hash,
        "batch_size": batch_size,
        "inputs": [source.model_dump(mode="json") for source in model.inputs],
        "layers": [
            _layer(model, node, cost) for node, cost in zip(model.nodes, costs, strict=True)
        ],
        "parameters": parameter_count(model),
        "macs": sum(cost.macs for cost in costs),
        "totals": totals,
        "loss": _part(task.loss) | {"backward": list(backward_of_loss(model, task.loss))},
        "optimizer": _part(task.optimizer),
    }


def _layer(model: "Model", node: "Node", cost: "NodeCost") -> dict[str, Any]:
    from .formulas import backward, formula

    return {
        "name": node.name,
        "op": node.op.kind,
        "inputs": list(node.inputs),
        "output_shape": list(model.types[node.name].shape),
        "parameters": cost.parameters,
        "macs": cost.macs,
        "forward_flops": cost.forward_flops,
        "backward_flops": cost.backward_flops,
        "forward_bytes": cost.forward_bytes,
        "backward_bytes": cost.backward_bytes,
        "formula": formula(model, node),
        "backward": list(backward(model, node)),
    }


def _part(spec: "Loss | Optimizer") -> dict[str, Any]:
    from .formulas import with_settings

    return {**spec.model_dump(mode="json"), "formula": with_settings(spec, spec.formula)}


def _print(output: Output, described: dict[str, Any]) -> None:
    batch = described["batch_size"]
    inputs = ", ".join(
        f"{source['name']} {_shape(source['shape'])}" for source in described["inputs"]
    )
    output.text(f"{described['workload']}: {described['description']}".rstrip(": "))
    output.text(
        f"input: {inputs}; batch size {batch}; MACs and bytes of the forward pass of a whole "
        "batch\n"
    )
    output.table(_layers_table(described["layers"]))
    output.text("")
    output.text(f"{described['parameters']:,} parameters, {described['macs']:,} MACs forward")
    output.table(_totals_table(described))
    output.text("")
    output.text(f"loss        {described['loss']['kind']}: {described['loss']['formula']}")
    output.text(
        f"optimizer   {described['optimizer']['kind']}: {described['optimizer']['formula']}"
    )


SUMMED = (
    "A tensor or parameter that several layers read gets the sum of what each of them gives it."
)


def _print_backward(output: Output, described: dict[str, Any]) -> None:
    """What the chain rule makes of each layer, in the order in which it is computed."""
    from ..report.columns import column_table

    table = column_table("layer", "op", "backward", leave_out=("op",))
    loss = described["loss"]
    layers = [(row["name"], row["op"], row["backward"]) for row in reversed(described["layers"])]
    for name, kind, formulas in [("loss", loss["kind"], loss["backward"]), *layers]:
        for place, formula in enumerate(formulas):
            table.add_row(*((name, kind) if place == 0 else ("", "")), formula)
    output.text("\nbackward pass: dNAME is the gradient of the loss with respect to NAME")
    output.table(table)
    output.text(SUMMED)


def _shape(sizes: list[int]) -> str:
    return "x".join(map(str, sizes)) or "scalar"


def _layers_table(layers: list[dict[str, Any]]) -> "Table":
    from ..report.columns import column_table

    headings = ("layer", "op", "output", ">parameters", ">MACs", ">bytes", "mathematics")
    table = column_table(*headings, leave_out=("mathematics", "op", "bytes", "output"))
    for row in layers:
        numbers = f"{row['parameters']:,}", f"{row['macs']:,}", scaled(row["forward_bytes"], "B")
        table.add_row(row["name"], row["op"], _shape(row["output_shape"]), *numbers, row["formula"])
    return table


def _totals_table(described: dict[str, Any]) -> "Table":
    from ..report.columns import column_table

    table = column_table("", ">operations", ">bytes moved", ">memory", leave_out=("bytes moved",))
    for name, total in described["totals"].items():
        units = {"flops": "FLOP", "bytes": "B", "memory_bytes": "B"}
        table.add_row(
            name.replace("_", " "), *(scaled(total[key], unit) for key, unit in units.items())
        )
    return table
