"""dnnbench predict: what trained weights predict, on every backend."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..protocol.dtypes import DType
from . import exitcodes
from .options import Command, output_options
from .output import Output
from .work_options import threads_or_all, work_options

if TYPE_CHECKING:
    from ..execution.training import Figures
    from ..spec.workload import Workload
    from ..worker.services.training import Predictions


@click.command("predict", cls=Command)
@click.argument("workload")
@click.option(
    "--weights",
    required=True,
    metavar="FILE",
    help="Weights from `dnnbench train WORKLOAD --save FILE`.",
)
@work_options
@output_options
@click.pass_obj
def command(
    output: Output,
    workload: str,
    weights: str,
    backends: tuple[str, ...],
    device: str,
    dtype: DType,
    threads: int | None,
    seed: int,
    data: str,
    as_json: bool,
) -> int:
    """Predict WORKLOAD's test set with trained weights, on every backend.

    Tells each arm's accuracy, or loss, and whether all arms predict the same. Weights of another
    network are refused, saying which tensors differ. Exit code 1 if arms differ or fail.

    \b
    Example:
      dnnbench train mlp_digits --backend torch --save mlp.safetensors
      dnnbench predict mlp_digits --weights mlp.safetensors --backend all
    """
    from ..execution.request import Request, make_plan
    from ..execution.settings import Settings
    from ..execution.training import Figures, predict
    from ..execution.weights_file import load_weights
    from ..plugins.catalog import find_workload
    from .progress import reporter

    network = find_workload(workload)
    arrays = load_weights(weights, network)
    settings = Settings(
        phases=(), dtype=dtype, threads=threads_or_all(threads), device=device, seed=seed
    )
    request = Request((network,), tuple(backends), settings, data=data, weights=weights)
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        dataset = datasets[network.name]
        predicted = predict(network, dataset, plan.arms, arrays, report)
    arms = [_document(arm, prediction) for arm, prediction in predicted.items()]
    differing = differing_on(network, arms)
    if as_json:
        output.json(
            {"workload": network.name, "weights": weights, "arms": arms, "differing": differing}
        )
    else:
        figures = {
            arm: Figures.of(p.score) for arm, p in predicted.items() if not isinstance(p, str)
        }
        _print(output, network, arms, figures, differing)
    failed = differing or any(arm["failure"] for arm in arms)
    return exitcodes.FAILED if failed else exitcodes.OK


CLOSE = 1e-3
"""Two numbers that a regression predicts are the same within this share of their root
mean square.
"""


def _document(arm: str, prediction: "Predictions | str") -> dict[str, Any]:
    """What `--json` says of an arm: its figures and predictions, or why it has none."""
    from ..execution.training import Figures

    if isinstance(prediction, str):
        return {"arm": arm, "failure": prediction}
    figures = asdict(Figures.of(prediction.score))
    predictions = prediction.predictions.tolist()
    return {"arm": arm, "failure": "", **figures, "predictions": predictions}


def differing_on(workload: "Workload", arms: list[dict[str, Any]]) -> list[int]:
    """Test examples of which not all arms predict the same."""
    import numpy as np

    able = [np.array(arm["predictions"]) for arm in arms if not arm["failure"]]
    if len(able) < 2:
        return []
    first, *others = able
    near = (
        CLOSE * np.sqrt(np.mean(np.square(first)))
        if workload.task.loss.prediction == "identity"
        else 0
    )
    apart = [~(np.abs(other - first) <= near) for other in others]
    return np.flatnonzero(
        np.any([a.reshape(len(first), -1).any(axis=1) for a in apart], axis=0)
    ).tolist()


def _print(
    output: Output,
    workload: "Workload",
    arms: list[dict[str, Any]],
    figures: "Mapping[str, Figures]",
    differing: list[int],
) -> None:
    from ..report.columns import column_table
    from .train import figures_of, headings_of

    headings = headings_of(workload)
    table = column_table("arm", *(f">{heading}" for heading in headings), "why")
    for arm in arms:
        if arm["failure"]:
            table.add_row(arm["arm"], *["-"] * len(headings), f"failed: {arm['failure']}")
        else:
            table.add_row(arm["arm"], *figures_of(workload, figures[arm["arm"]]), "")
    output.table(table)
    able = [arm for arm in arms if not arm["failure"]]
    if differing:
        output.text(
            f"the arms differ on {len(differing)} test example(s): "
            f"{', '.join(map(str, differing[:20]))}"
        )
    elif able:
        examples = len(able[0]["predictions"])
        output.text(
            f"all {len(able)} arm(s) predict the same for every one of {examples} test examples"
        )
