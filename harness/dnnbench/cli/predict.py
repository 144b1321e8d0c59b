"""dnnbench predict: what trained weights predict, on every backend."""

import rich_click as click

from . import exitcodes
from .options import output_options
from .work_options import threads_or_all, work_options, workloads_named


@click.command("predict")
@click.argument("workload")
@click.option("--weights", required=True, metavar="FILE", help="Weights from `dnnbench train WORKLOAD --save FILE`.")
@work_options
@output_options
@click.pass_obj
def command(output, workload, weights, backends, device, dtype, threads, seed, data, as_json: bool):
    """Predict WORKLOAD's test set with trained weights, on every backend.

    Tells each arm's accuracy and whether all arms predict the same classes. Weights of another network are refused,
    saying which tensors differ. Exit code 1 if arms differ or fail.

    \b
    Example:
      dnnbench train mlp_digits --backend torch --save mlp.safetensors
      dnnbench predict mlp_digits --weights mlp.safetensors --backend all
    """
    from ..run.request import Request, make_plan
    from ..run.settings import Settings
    from ..run.training import judge, predict
    from ..run.weights_file import load_weights
    from .progress import reporter

    found = workloads_named((workload,))[0]
    arrays = load_weights(weights, found)
    settings = Settings(phases=(), dtype=dtype, threads=threads_or_all(threads), device=device, seed=seed)
    request = Request((found,), tuple(backends), settings, data=data, weights=weights)
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        dataset = datasets[found.name]
        predicted = predict(found, dataset, plan.lanes, arrays, report)
    arms = [
        {"arm": arm, "failure": p} if isinstance(p, str)
        else {"arm": arm, "failure": "", **judge(found, p, dataset.y_test), "predictions": p.tolist()}
        for arm, p in predicted.items()
    ]  # fmt: skip
    differing = _differing(arms)
    if as_json:
        output.json({"workload": found.name, "weights": weights, "arms": arms, "differing": differing})
    else:
        _print(output, arms, differing)
    failed = differing or any(arm["failure"] for arm in arms)
    return exitcodes.FAILED if failed else exitcodes.OK


def _differing(arms: list[dict]) -> list[int]:
    """Test examples of which not all arms predict the same."""
    lists = [arm["predictions"] for arm in arms if not arm["failure"]]
    return [i for i, values in enumerate(zip(*lists, strict=True)) if len({str(value) for value in values}) > 1]


def _print(output, arms: list[dict], differing: list[int]) -> None:
    from rich.table import Table

    table = Table("arm", "accuracy", "wrong", "", box=None, pad_edge=False)
    for arm in arms:
        if arm["failure"]:
            table.add_row(arm["arm"], "-", "-", f"failed: {arm['failure']}")
        else:
            table.add_row(arm["arm"], f"{arm['accuracy']:.4f}", f"{arm['wrong']}/{arm['n_test']}", "")
    output.table(table)
    able = [arm for arm in arms if not arm["failure"]]
    if differing:
        output.text(f"the arms differ on {len(differing)} test example(s): {', '.join(map(str, differing[:20]))}")
    elif able:
        output.text(f"all {len(able)} arm(s) predict the same for every one of {able[0]['n_test']} test examples")
