"""Refuse what cannot fit before anything is allocated: a killed process explains nothing."""

from collections import Counter
from collections.abc import Sequence

from ..data.free_memory import available_bytes
from ..errors import UsageError
from ..protocol.device import CPU, Device
from ..spec.costs import node_costs, training_step
from ..spec.workload import Workload


def pairing(
    sized: Sequence[tuple[Workload, int]], itemsize: int, base: Device, others: Sequence[Device]
) -> str:
    """Why the arms have to be measured in pairs with the base.

    Empty if all of them fit in memory together.

    sized: workloads, each with a batch size   base, others: where the arms compute
    UsageError if one arm does not fit beside the base, or alone where the base is elsewhere.
    """
    arms = Counter((base, *others))
    reasons = [
        _crowded(sized, itemsize, place, n, alone=place != base) for place, n in arms.items()
    ]
    why = "; ".join(filter(None, reasons))
    return why and f"{why}: each is measured beside the base alone"


def _crowded(
    sized: Sequence[tuple[Workload, int]], itemsize: int, place: Device, arms: int, alone: bool
) -> str:
    """Why so many arms cannot be on a device together.

    Empty if they can, or if its memory is unknown.
    """
    needed = max(
        arms * training_step(workload, size, itemsize).memory_bytes for workload, size in sized
    )
    free = free_bytes(place)
    if free is None or needed <= free:
        return ""
    fewest = min(arms, 1 if alone else 2)
    for workload, size in sized:
        refuse_if_too_large(workload, size, itemsize, fewest, place)
    return f"{arms} arms on {place} need about {_gb(needed)} and it has {_gb(free)}"


def refuse_if_too_large(
    workload: Workload, batch_size: int, itemsize: int, copies: int, place: Device = CPU
) -> None:
    """UsageError if `copies` programs that train at once need more memory than their device has.

    itemsize: bytes an element. The prediction is `spec.costs.training_step`'s, which leaves
    the frameworks' own memory out: what it refuses cannot run, what it lets pass may still fail.
    """
    needed, free = (
        copies * training_step(workload, batch_size, itemsize).memory_bytes,
        free_bytes(place),
    )
    if free is not None and needed > free:
        largest = _largest(workload, batch_size, itemsize)
        raise UsageError(
            f"workload '{workload.name}' at batch size {batch_size} needs about {_gb(needed)} "
            f"for {copies} program(s), but {place} has only {_gb(free)}; the largest node "
            f"is {largest}; make it smaller, lower the batch size, or run fewer backends"
        )


def free_bytes(place: Device) -> int | None:
    """Memory that programs on a device can have: of the host what is free,
    of another device all that its frameworks tell.
    """
    return available_bytes() if place.kind == CPU.kind else place.memory_bytes


def _largest(workload: Workload, batch_size: int, itemsize: int) -> str:
    rows = node_costs(workload.model, batch_size, itemsize)
    row = max(rows, key=lambda r: r.parameters * itemsize + r.output_bytes)
    return f"'{row.name}' ({row.parameters:,} parameters, output of {_gb(row.output_bytes)})"


def _gb(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
