"""What commands come to, simulated: agreeing and wrong arms, trainings, predictions, a kit's
verdicts.
"""

import math
from itertools import product

from dnnbench.agreement.check import Agreement
from dnnbench.agreement.losses import LossComparison
from dnnbench.agreement.status import Status
from dnnbench.execution.agreement_rows import AgreementRow, nothing_compared
from dnnbench.execution.first_epoch import FirstEpoch
from dnnbench.execution.gate import confirmed, screened
from dnnbench.execution.gate_cells import Gate
from dnnbench.execution.measured import measured
from dnnbench.execution.training import Epoch, Figures, TrainingResult
from dnnbench.plugins.catalog import find_workload
from dnnbench.testing.kit import Conformance
from dnnbench.testing.verdicts import LawVerdict, Verdict

from . import reporting

KINDS = ("outputs", "loss", "gradients", "weights@5", "slots@5")
GATED = {"torch:eager": 1.0, "torch:compile": 0.6, "jax:jit": 1.4}


def agreeing(arms=("numpy:eager", "torch:eager", "jax:jit"), workloads=reporting.WORKLOADS):
    """Rows of arms whose worst tensor takes up a fifth of its allowance."""
    places = product(arms, workloads, ("float64", "float32"), KINDS)
    return [_row(arm, name, dtype, kind) for arm, name, dtype, kind in places]


def _row(arm, workload, dtype, kind, ratio=0.2, status=Status.AGREES, reason=""):
    agreement = Agreement(kind, "sgd", f"{kind}/fc1.weight", ratio, 6, reason, status)
    return AgreementRow(arm, workload, dtype, agreement)


def differing():
    """One arm differs, one could not run, the others agree."""
    wrong = _row(
        "saboteur:wrong", "mlp_digits", "float32", "gradients", 7.0, Status.DIFFERS,
        "rmse 7.0e-06, allowed 1.0e-06",
    )  # fmt: skip
    reason = "RuntimeError: this step always fails"
    raised = nothing_compared(Status.COULD_NOT_RUN, reason)
    return [
        *agreeing(("numpy:eager", "saboteur:wrong"), ("mlp_digits",)),
        wrong,
        AgreementRow("saboteur:raise", "mlp_digits", "float64", raised),
    ]


def trained(name="mlp_digits", reached=("torch:eager", "numpy:eager"), failed=()):
    """A workload and how each arm learned it; jax:jit stops at its limit of epochs."""
    results = [_training(name, arm, arm in reached) for arm in (*reached, "jax:jit")]
    results += [_failed(name, arm) for arm in failed]
    return find_workload(name), results


def _training(name, arm, reached):
    seconds = reporting.SPEED.get(arm, 1.0)
    epochs = [
        Epoch(number, 2.3 * 0.5**number, seconds, Figures(0.97 if reached else 0.9, 9, 359, 0.12))
        for number in range(1, 6)
    ]
    result = TrainingResult(arm, name, "float32", epochs, reached, 0.1, 0.4)
    result.first_epoch = first_epoch()
    return result


def first_epoch(status=Status.AGREES, ratio=0.03, decided=24, reason="", steps=23):
    """Losses of an arm's first 23 steps, or fewer, and of one more."""
    return FirstEpoch(LossComparison(status, ratio, decided, reason), steps, of=23, last=29)


def _failed(name, arm):
    return TrainingResult(arm, name, "float32", failure="killed by signal 9")


def gate(store, second=GATED, theta=0.02):
    """Two candidates screened in one run and confirmed in another, by their true times there."""
    shape = {
        "generations": 6,
        "workloads": ("mlp_digits",),
        "seconds": {"infer": 1e-3, "train_step": 4e-3},
    }
    reporting.add_run(store, "screen", arms=GATED, **shape)
    reporting.add_run(store, "confirm", arms=second, seed=1, **shape)
    cells = confirmed(screened(measured(store, "screen")), measured(store, "confirm"), theta)
    return Gate("torch:eager", theta, "screen", cells, "confirm")


def conformance(wrong=True):
    """Of three cases in two types, and three laws."""
    cases = ("relu", "sigmoid", "lstm")
    verdicts = [
        _verdict(case, dtype, side, wrong)
        for dtype, case, side in product(("float64", "float32"), cases, ("forward", "gradient"))
    ]
    laws = [
        LawVerdict("mine:eager", "restore_goes_back", "meaning", "kept", "dense"),
        LawVerdict("mine:eager", "load_starts_anew", "meaning", "unsupported", "", "no training"),
    ]
    if wrong:
        broken = ("infer_changes_nothing", "meaning", "broken", "dense", "weights moved")
        laws.append(LawVerdict("mine:eager", *broken))
    return Conformance("mine:eager", {"mine": "1.0"}, verdicts, laws)


def _verdict(case, dtype, side, wrong):
    place = ("mine:eager", case, dtype, side)
    if case == "lstm":
        return Verdict(*place, Status.UNSUPPORTED, math.nan, reason="no recurrent layers here")
    if wrong and (case, side) == ("sigmoid", "gradient"):
        key = "gradients/sigmoid"
        return Verdict(*place, Status.DIFFERS, 12.5, key, "rmse 1.2e-05, allowed 1.0e-06", 4)
    return Verdict(*place, Status.AGREES, 0.03, "outputs/y", tensors=4)
