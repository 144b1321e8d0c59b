"""Training beside inference: what each is for, what it computes, how long it takes and what it
holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..spec.phases import Phase
from .timed_cells import TimedCell, timed_cells

if TYPE_CHECKING:
    import pandas as pd

PURPOSES = {
    Phase.TRAIN_STEP: ("training", "learn: forward pass, loss, backpropagation, weight update"),
    Phase.INFER: ("inference", "answer: forward pass alone, to the prediction"),
}
"""What is timed for a purpose, by phase: its name, and what it is for."""
PurposeKey = tuple[str, int, str, str]
"""(workload, batch size, arm, phase)"""


@dataclass(frozen=True)
class Purpose:
    """One purpose of one arm in one case; times in seconds, None where nothing was measured."""

    workload: str
    batch_size: int
    arm: str
    backend: str
    phase: str
    name: str
    meaning: str
    flops: int | None
    call_s: float
    call_s_low: float
    call_s_high: float
    start_s: float | None
    """Import, build and first call together, with warm compile caches where any generation had
    them.
    """
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    verdict: str | None
    """Against the base; None for the base itself and for what is not ranked."""

    @property
    def key(self) -> PurposeKey:
        return self.workload, self.batch_size, self.arm, self.phase

    @property
    def flops_per_s(self) -> float | None:
        """Operations counted from the spec, over measured time."""
        return self.flops / self.call_s if self.flops is not None else None

    @property
    def example_s(self) -> float:
        return self.call_s / self.batch_size

    @property
    def examples_per_s(self) -> float:
        return self.batch_size / self.call_s


def purposes(cells: "pd.DataFrame", starts_s: Mapping[PurposeKey, float]) -> list[Purpose]:
    """Every measured purpose, case by case and arm by arm, training before inference.

    cells: frame `cells` joined with `summary`   starts_s: seconds to the first result, by
    `Purpose.key`
    """
    timed = [cell for cell in timed_cells(cells) if cell.phase in PURPOSES]
    by_key: dict[PurposeKey, TimedCell] = {
        (cell.workload, cell.batch_size, cell.arm, cell.phase): cell for cell in timed
    }
    cases = dict.fromkeys((cell.workload, cell.batch_size) for cell in timed)
    arms = dict.fromkeys(cell.arm for cell in timed)
    keys = ((*case, arm, str(phase)) for case in cases for arm in arms for phase in PURPOSES)
    return [_purpose(by_key[key], starts_s.get(key)) for key in keys if key in by_key]


def _purpose(cell: TimedCell, start_s: float | None) -> Purpose:
    name, meaning = PURPOSES[Phase(cell.phase)]
    return Purpose(
        cell.workload, cell.batch_size, cell.arm, cell.backend, cell.phase, name, meaning,
        cell.flops, cell.call_s, cell.call_s_low, cell.call_s_high,
        start_s, cell.peak_rss_bytes, cell.peak_device_bytes, cell.verdict,
    )  # fmt: skip
