"""Which cells of a generation come near the best rate that any arm reached, or pass it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..protocol.arm import Arm
from ..spec.costs import phase_totals
from ..spec.phases import PURPOSES
from .plan import Case, Plan
from .record import Record

NEAR = 0.9
"""Of the peak: later generations may be so much faster than the first, whose cells are audited."""
RATES = ("flops_per_s", "bytes_per_s")


def better(known: Mapping[str, Any] | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """Of two measurements of one arm's best rates, the higher of each rate."""
    if known is None:
        return dict(found)
    sources = {"flops_per_s": "product", "bytes_per_s": "stream"}
    parts = {rate: known if known[rate] >= found[rate] else found for rate in RATES}
    return {name: part[name] for rate, part in parts.items() for name in (rate, sources[rate])}


def near_peak(plan: Plan, record: Record) -> list[tuple[Arm, Case, str]]:
    """Training steps and inferences whose rate lies near or above the best product on their device, in their type."""
    places = {arm.name: (arm.device, arm.dtype) for arm in plan.arms}
    best: dict[tuple, float] = {}
    for arm, found in record.machine_peaks.items():
        if arm in places:
            best[places[arm]] = max(best.get(places[arm], 0.0), found["flops_per_s"])
    cells = ((arm, case, phase) for arm in plan.arms for case in plan.cases for phase in PURPOSES)
    return [
        (arm, case, phase)
        for arm, case, phase in cells
        if places[arm.name] in best and _rate(arm, case, phase, record) > NEAR * best[places[arm.name]]
    ]


def _rate(arm: Arm, case: Case, phase: str, record: Record) -> float:
    """Operations a second of a cell in this generation; 0 where it was not visited."""
    visits = record.visits.get((arm.name, case.name, phase))
    if not visits:
        return 0.0
    call_s = float(np.median([seconds / calls for _, _, calls, seconds, _ in visits]))
    flops, _ = phase_totals(case.workload, case.batch_size, phase, arm.precision.itemsize)
    return flops / call_s
