"""dnnbench predict: what trained weights predict, on every backend."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import rich_click as click

from . import completing, exitcodes
from .options import Command, output_options
from .output import Output
from .work_options import work_options

if TYPE_CHECKING:
    from ..api.predict import ArmPredictions, Predicted


@click.command("predict", cls=Command)
@click.argument("workload", shell_complete=completing.workloads)
@click.option(
    "--weights",
    required=True,
    metavar="FILE",
    help="Weights from `dnnbench train WORKLOAD --save FILE`.",
)
@work_options
@output_options
@click.pass_obj
def command(output: Output, /, workload: str, as_json: bool, **options: Any) -> int:
    """Predict WORKLOAD's test set with trained weights, on every backend.

    Tells each arm's accuracy, or loss, and whether all arms predict the same. Weights of another
    network are refused, saying which tensors differ. Exit code 1 if arms differ or fail.

    \b
    Example:
      dnnbench train mlp_digits --backend torch --save mlp.safetensors
      dnnbench predict mlp_digits --weights mlp.safetensors --backend all
    """
    from ..api.predict import predict_request, predicted
    from .progress import reporter
    from .run_text import print_outcome

    request = predict_request(workload, **options)
    with reporter(output) as report:
        result = predicted(request, report)
    if as_json:
        output.json(_document(result))
    else:
        print_outcome(output, result, details=False)
    return exitcodes.FAILED if result.failed else exitcodes.OK


def _document(result: "Predicted") -> dict[str, Any]:
    return {
        "workload": result.workload.name,
        "weights": result.weights,
        "arms": [_arm(one) for one in result.results],
        "differing": result.differing,
        **result.spoken(),
    }


def _arm(one: "ArmPredictions") -> dict[str, Any]:
    if one.figures is None or one.predictions is None:
        return {"arm": one.arm, "failure": one.failure}
    figures = asdict(one.figures)
    return {"arm": one.arm, "failure": "", **figures, "predictions": one.predictions.tolist()}
