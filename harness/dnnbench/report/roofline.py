"""How near each cell comes to what the machine can do, with the peaks that the same run measured.

intensity = FLOPs / bytes of the spec; attainable = min(peak FLOP/s, intensity x peak B/s);
share of peak (MFU) = rate / peak.
A device and type whose peak no arm could tell gives no share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..execution.facts import AuditFacts, GenerationFacts
from ..execution.peaks import Place, place_of
from ..protocol.arm import Arm
from ..worker.peaks import Peaks
from .purposes import PURPOSES
from .quantity import MISSING, percent, scaled
from .timed_cells import TimedCell, timed_cells

if TYPE_CHECKING:
    import pandas as pd

ABOVE = ">100 %"
ABOVE_MEANS = (
    "more than these arms' dense product reaches, as Winograd, FFT or a faster library may; "
    "audited again: infer, step, infer on one placed batch, twice the calls, another input"
)
NOT_AUDITED = "above the peak, and not audited again"


@dataclass(frozen=True)
class Roof:
    """The best rates of any arm on one device, in one type, with as many threads, per second, and
    who reached them how.
    """

    flops_per_s: float
    flops_arm: str
    flops_product: str
    bytes_per_s: float
    bytes_arm: str
    bytes_stream: str

    @property
    def flops_source(self) -> str:
        return f"{self.flops_arm}, {self.flops_product}"

    @property
    def bytes_source(self) -> str:
        return f"{self.bytes_arm}, {self.bytes_stream}"


@dataclass(frozen=True)
class RoofShare:
    """One training step or inference of one arm against the roof; None where there is no peak or no
    counter.
    """

    workload: str
    batch_size: int
    arm: str
    backend: str
    phase: str
    rate: float
    intensity: float
    share: float | None
    """Of the roof's operations; above 1 it is a figure only as far as `doubt` is empty."""
    bound: str | None
    joules: float | None
    device_s: float | None
    """Seconds a call by the device's own clock: less than the host's where the device waits to be
    fed.
    """
    doubt: str
    """Why a rate above the roof is no figure; empty where it is one."""
    place: Place
    """The device, type and threads whose roof it is held against."""

    @property
    def of_peak(self) -> str:
        """The share as a cell of a table."""
        if self.share is None:
            return "no peak"
        if self.doubt:
            return "no figure"
        return percent(self.share) if self.share <= 1 else ABOVE

    @property
    def rate_text(self) -> str:
        return MISSING if self.doubt else scaled(self.rate, "")

    @property
    def examples_per_joule(self) -> float | None:
        return self.batch_size / self.joules if self.joules else None


def roofs(peaks: Mapping[Arm, Peaks]) -> dict[Place, Roof]:
    """The roof of every device, type and number of threads, from the best rates by arm."""
    by_place: dict[Place, dict[Arm, Peaks]] = {}
    for arm, rates in peaks.items():
        by_place.setdefault(place_of(arm), {})[arm] = rates
    return {place: _roof(rates) for place, rates in by_place.items()}


def _roof(peaks: Mapping[Arm, Peaks]) -> Roof:
    product_arm, product = max(peaks.items(), key=lambda item: item[1].flops_per_s)
    stream_arm, stream = max(peaks.items(), key=lambda item: item[1].bytes_per_s)
    return Roof(
        product.flops_per_s,
        product_arm.name,
        product.product,
        stream.bytes_per_s,
        stream_arm.name,
        stream.stream,
    )


def shares(
    cells: "pd.DataFrame",
    tops: Mapping[Place, Roof],
    facts: GenerationFacts,
    doubts: Mapping[str, str],
) -> list[RoofShare]:
    """A row for every training step and inference that was timed and whose work the spec counts.

    cells: frame `cells` joined with `summary`
    facts: of the first generation, which measures energy and device time, and audits rates near or
    above the roof
    doubts: what speaks against the time of a cell, by cell_id
    """
    chosen = [cell for cell in timed_cells(cells) if cell.phase in PURPOSES]
    return [
        _share(
            cell,
            cell.flops,
            cell.bytes,
            tops,
            facts,
            doubts.get(cell.cell_id, ""),
        )
        for cell in chosen
        if cell.flops is not None and cell.bytes is not None
    ]


def _share(
    cell: TimedCell,
    flops: int,
    moved_bytes: int,
    tops: Mapping[Place, Roof],
    facts: GenerationFacts,
    time_doubt: str,
) -> RoofShare:
    """flops, moved_bytes: of the cell, by the spec."""
    place = place_of(cell.key.arm)
    top = tops.get(place)
    rate, intensity = flops / cell.call_s, flops / moved_bytes
    measured = facts.cell(cell.key)
    share = None if top is None else rate / top.flops_per_s
    above = share is not None and share > 1
    doubt = (time_doubt or _doubt(measured.rate_audit)) if above else ""
    return RoofShare(
        cell.workload,
        cell.batch_size,
        cell.arm,
        cell.backend,
        cell.phase,
        rate,
        intensity,
        share,
        _bound(top, intensity),
        joules=measured.energy.joules if measured.energy else None,
        device_s=measured.device_call_s,
        doubt=doubt,
        place=place,
    )


def _bound(top: Roof | None, intensity: float) -> str | None:
    """What bounds work of that many operations a byte; None where there is no peak."""
    if top is None:
        return None
    return "memory" if intensity * top.bytes_per_s < top.flops_per_s else "compute"


def _doubt(audit: AuditFacts | None) -> str:
    """Why a rate above the roof is no figure, by the second audit of its cell."""
    if audit is None:
        return NOT_AUDITED
    if audit.error:
        return f"above the peak, and could not be audited again: {audit.error}"
    return "; ".join(audit.faults)


def above_the_peak(rows: Sequence[RoofShare]) -> list[str]:
    """What a share of more than 100 % means, and why others above the roof are no figures."""
    doubted = [
        f"{s.workload}/{s.batch_size} {s.phase} {s.arm}: no figure: {s.doubt}"
        for s in rows
        if s.doubt
    ]
    stands = any(s.of_peak == ABOVE for s in rows)
    return ([f"{ABOVE}: {ABOVE_MEANS}"] if stands else []) + doubted
