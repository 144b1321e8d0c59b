"""A change point of a history measured afresh: both of its revisions in one run, by the gate's
rule.
"""

import json

from ..errors import UsageError
from ..execution.gate_cells import Gate
from ..execution.gate_policy import Inconclusive
from ..execution.reporter import Reporter
from ..execution.settings import Settings
from ..protocol.arm import Arm
from ..report.words import listed
from ..track.history import History, SeriesChange
from .gate import gate_request, judged
from .gate_sides import Installing, gate_sides
from .measuring import Keeping

CHANGED = "+"
"""Ends the revision of a working tree with changes, which no commit has."""


def change_to_confirm(history: History) -> SeriesChange:
    """The newest change point to slower; UsageError where there is none that two commits could
    show.
    """
    if history.imported:
        raise UsageError(
            f"history --confirm: {listed(history.imported)} measured these benchmarks, which "
            "dnnbench cannot; measure both revisions of the change with that tool"
        )
    slower = [change for change in history.change_points if change.is_slower]
    if not slower:
        raise UsageError(
            "history --confirm: no change point to slower to confirm; "
            "`dnnbench gate --git BASE..HEAD` holds any two revisions against each other"
        )
    change = slower[0]
    arm = Arm.from_json(json.loads(change.series.key.arm_key))
    if arm.environment:
        raise UsageError(
            f"history --confirm: {change.series.arm} runs in an environment of its own, whose "
            "revisions dnnbench does not install; `dnnbench gate --backend` holds two of them "
            "against each other"
        )
    for run in (change.before.run, change.after.run):
        if not run.revision:
            raise UsageError(
                f"history --confirm: run {run.run_id} recorded no revision, since it was measured "
                "outside a git repository; name two with `dnnbench gate --git BASE..HEAD`"
            )
        if run.revision.endswith(CHANGED):
            raise UsageError(
                f"history --confirm: run {run.run_id} was measured with changes that no commit "
                f"has ({run.revision[:12]}+); name two with `dnnbench gate --git BASE..HEAD`"
            )
    if change.before.run.revision == change.after.run.revision:
        also = ", ".join(change.also_changed) or "nothing recorded"
        raise UsageError(
            f"history --confirm: both sides of the change are revision {run.revision}: no commit "
            f"made it; what else changed: {also}"
        )
    return change


def confirm(
    change: SeriesChange, added: Installing, max_time_s: float, keeping: Keeping, report: Reporter
) -> tuple[Gate, str]:
    """Both revisions of a change point in one run: the gate, and the place of its runs.

    added: what is installed beside each.  max_time_s: of measuring, in each stage.  The project is
    the one in this folder, as for `dnnbench gate --git`.
    """
    key = change.series.key
    arm = Arm.from_json(json.loads(key.arm_key))
    backend = f"{arm.backend}:{arm.mode}"
    sides = gate_sides(key.case.workload, backend, "", change.revisions, added, report)
    request = gate_request(
        sides,
        base="",
        device=str(arm.device),
        dtype=str(arm.dtype),
        threads=arm.threads,
        seed=Settings.seed,
        data="",
        batch_size=key.case.batch_size,
        phase=str(key.phase),
        fail_on=Settings.theta,
        thresholds=(),
        must_see=None,
        inconclusive=Inconclusive.FAIL,
        figure=(),
        fail_on_unexplained_improvement=False,
        confirm_again=False,
        max_time=max_time_s,
        generations=None,
        allow_unequal=False,
        check=True,
    )
    return judged(request, keeping, report)
