"""Against what the machine can do: rate, share of the measured peak, what bounds it, energy."""

from collections.abc import Iterable, Iterator, Sequence

from ...execution.peaks import Place
from ...protocol.keys import CaseKey
from ..builders import Builder
from ..cells import arm_cell, case_cell, figure, phase_cell, scaled_figure
from ..evidence import HEADLINES, Evidence
from ..pictures import RooflineChart, RoofPoint
from ..quantity import digits, scaled, seconds
from ..roofline import Roof, RoofShare
from ..section import Cell, Column, Section, table

COLUMNS = (
    Column("workload", once=True),
    Column("phase"),
    Column("arm"),
    Column("FLOP/s", number=True),
    Column("of peak", number=True),
    Column("FLOP/B", number=True, spare=4),
    Column("bound by", spare=5),
    Column("on the device", number=True, spare=2),
    Column("energy", number=True, spare=3),
    Column("examples/J", number=True, spare=1),
)
LEAD = (
    "The best rates that any arm reached in this run, in one large product and in one pass over a "
    "large tensor; a share of the peak is a cell's rate over the first of them. Operations and "
    "bytes are the specification's, each tensor counted once an op, so that fused code can beat "
    "the memory bound; in the picture the line is the roof that both rates make. The time on the "
    "device is what its own clock counted (CUDA events): where it is well below the host's, the "
    "device waits to be fed."
)
NO_PEAK = "No peak could be measured: no shares"


def roofline(evidence: Evidence) -> Section | None:
    """None where neither training step nor inference of counted work was timed."""
    shares = evidence.shares
    if not shares:
        return None
    return Section(
        id="roofline",
        title="Roofline",
        sentences=(*_peaks(evidence.roofs), *_nearest(shares)) or (NO_PEAK,),
        tables=(table(COLUMNS, [_row(share) for share in shares]),),
        charts=tuple(_charts(evidence)),
        doubts=tuple(evidence.above_the_peak),
        lead=LEAD,
        brief="against the best rates that any arm reached in this run",
    )


def _peaks(roofs: dict[Place, Roof]) -> list[str]:
    """A sentence a roof, with its threads where they vary."""
    return [
        f"{_named(place, roofs)}: "
        f"{scaled(roof.flops_per_s, 'FLOP/s')} ({roof.flops_source}), "
        f"{scaled(roof.bytes_per_s, 'B/s')} ({roof.bytes_source})"
        for place, roof in roofs.items()
    ]


def _named(place: Place, roofs: Iterable[Place]) -> str:
    """A place with its threads where they vary."""
    device, dtype, threads = place
    vary = len({of_one for _, _, of_one in roofs}) > 1
    return f"{device} {dtype}{f', {threads} thread(s)' if vary else ''}"


def _nearest(shares: Sequence[RoofShare]) -> list[str]:
    """Which cell comes nearest to the peak, and how many are bound by memory."""
    standing = [share for share in shares if share.share is not None and not share.doubt]
    if not standing:
        return []
    nearest = max(standing, key=lambda one: one.share or 0.0)
    case = CaseKey(nearest.workload, nearest.batch_size)
    of_peak = (
        f"{nearest.of_peak} of the peak, {nearest.arm} in {HEADLINES[nearest.phase]} of {case}"
    )
    bound = sum(share.bound == "memory" for share in standing)
    return [
        f"The nearest to it reaches {of_peak}; by the spec's bytes {bound} of {len(standing)} "
        "are bound by memory"
    ]


def _charts(evidence: Evidence) -> Iterator[RooflineChart]:
    """One for each roof that stands above a cell."""
    shares = [share for share in evidence.shares if not share.doubt]
    for place, roof in evidence.roofs.items():
        points = tuple(_point(share) for share in shares if share.place == place)
        if points:
            caption = f"{evidence.machine_name}, {_named(place, evidence.roofs)}"
            yield RooflineChart(caption, points, roof.flops_per_s, roof.bytes_per_s)


def _point(share: RoofShare) -> RoofPoint:
    return RoofPoint(
        arm=share.arm,
        backend=share.backend,
        phase=HEADLINES[share.phase],
        where=str(CaseKey(share.workload, share.batch_size)),
        intensity=share.intensity,
        rate=share.rate,
    )


def _row(share: RoofShare) -> tuple[Cell, ...]:
    figures = (
        Cell(share.rate_text, value=None if share.doubt else share.rate),
        Cell(share.of_peak, value=share.share),
        figure(share.intensity, digits),
        Cell(share.bound or ""),
        Cell("no clock") if share.device_s is None else figure(share.device_s, seconds),
        Cell("no counter") if share.joules is None else scaled_figure(share.joules, "J"),
        figure(share.examples_per_joule, digits),
    )
    where = case_cell(share.workload, share.batch_size), phase_cell(share.phase)
    return (*where, arm_cell(share.arm, share.backend), *figures)


BUILDER = Builder(60, roofline)
