"""dnnbench train: train to the target on every backend, and see that they learn alike."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from . import completing, exitcodes
from .options import Command, output_options
from .output import Output
from .work_options import DETAILS, LABEL, STORE, work_options

if TYPE_CHECKING:
    from ..execution.training import TrainingResult


@click.command("train", cls=Command)
@click.argument("workloads", nargs=-1, shell_complete=completing.workloads)
@work_options
@click.option(
    "--epochs",
    type=click.IntRange(1, 1_000_000),
    help="Most epochs.  [default: the workload's limit]",
)
@click.option(
    "--save",
    metavar="FILE",
    help="Keep the first arm's weights (safetensors, with the spec's hash).",
)
@DETAILS
@STORE
@LABEL
@output_options
@click.pass_obj
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    save: str | None,
    store: str,
    label: str | None,
    details: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Train WORKLOADS until their target on the test set, or their limit of epochs.

    Every backend starts from the same weights and sees the same examples in the same order;
    the last, smaller batch counts. Seconds are those of training steps alone. Curves are shown
    with --details.
    The losses of the first epoch's steps are held against the reference's in float64, whatever
    type is trained in; of a network whose epoch is much work those of its first steps and its last
    one, or none.
    Exit code 1 if an arm fails, takes other steps than the reference or misses the target, or none
    trains; an arm that only infers is unsupported, with its reason.

    \b
    Examples:
      dnnbench train mlp_digits --backend all
      dnnbench train cnn_digits --backend torch --save cnn.safetensors
      dnnbench train my_network.toml --data my_images.npz
      dnnbench train net.py:make_net --backend torch,jax
    """
    from ..api.train import Training, learn, record, recording_what_fails, train_request
    from ..execution.request import make_plan
    from .keeping import keeping
    from .progress import reporter
    from .run_text import print_outcome

    request = train_request(workloads, save=save, **options)
    training, kept = Training(), keeping(store, label)
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        with recording_what_fails(training, request, plan, kept, report):
            learn(training, request, plan, datasets, report, save)
    if as_json:
        courses = [_document(result) for result in training.every_result]
        output.json({"courses": courses, **training.spoken()})
    else:
        print_outcome(output, training, details)
    # Shown first: a store that refuses must not take with it what was learned.
    record(training, request, plan, kept, output)
    return exitcodes.FAILED if training.missed else exitcodes.OK


def _document(result: "TrainingResult") -> dict[str, Any]:
    return {
        "arm": result.arm,
        "workload": result.workload,
        "dtype": result.dtype,
        "epochs": [epoch.to_json() for epoch in result.epochs],
        "reached": result.reached,
        "build_s": result.build_s,
        "first_call_s": result.first_call_s,
        "seconds": result.seconds,
        "failure": result.failure,
        "unsupported": result.unsupported,
        "first_epoch": result.first_epoch.to_json() if result.first_epoch else None,
    }
