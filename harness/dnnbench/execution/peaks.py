"""Which cells of a generation come near the best rate that any arm reached, or pass it."""

import math
from itertools import product

import numpy as np

from ..protocol.arm import Arm
from ..protocol.device import Device
from ..protocol.dtypes import DType
from ..protocol.keys import CellKey
from ..spec.costs import phase_totals
from ..spec.phases import PURPOSES, Phase
from ..worker.peaks import Peaks
from .plan import Case, Plan
from .record import Record

NEAR = 0.9
"""Of the peak: later generations may be so much faster than the first, whose cells are audited."""

Place = tuple[Device, DType, int]


def place_of(arm: Arm) -> Place:
    """Device, type and threads: arms that share them have the same peak."""
    return arm.device, arm.dtype, arm.threads


def better(first: Peaks | None, second: Peaks) -> Peaks:
    """Of two measurements of one arm's best rates, the higher of each rate."""
    if first is None:
        return second
    product = first if first.flops_per_s >= second.flops_per_s else second
    stream = first if first.bytes_per_s >= second.bytes_per_s else second
    return Peaks(product.flops_per_s, stream.bytes_per_s, product.product, stream.stream)


def near_peak(plan: Plan, record: Record) -> list[tuple[Arm, Case, Phase]]:
    """Training steps and inferences whose rate lies near or above the best product on their device,
    in their type and with as many threads.
    """
    best: dict[Place, float] = {}
    for arm, peaks in record.machine_peaks.items():
        if arm in plan.arms:
            place = place_of(arm)
            best[place] = max(best.get(place, 0.0), peaks.flops_per_s)
    return [
        (arm, case, phase)
        for arm, case, phase in product(plan.arms, plan.cases, PURPOSES)
        if _rate(arm, case, phase, record) > NEAR * best.get(place_of(arm), math.inf)
    ]


def _rate(arm: Arm, case: Case, phase: Phase, record: Record) -> float:
    """Operations a second of a cell in this generation; 0 where it was not visited."""
    visits = record.visits.get(CellKey(arm, case.key, phase))
    workload = case.of(arm).workload
    totals = phase_totals(workload, case.batch_size, phase, arm.precision.itemsize)
    if not visits or totals is None:
        return 0.0
    flops, _ = totals
    return flops / float(np.median([visit.seconds / visit.calls for visit in visits]))
