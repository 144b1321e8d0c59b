"""Training beside inference: what each is for, what it computes, how long it takes and what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..spec.phases import Phase

if TYPE_CHECKING:
    import pandas as pd

PURPOSES = {
    Phase.TRAIN_STEP: ("training", "learn: forward pass, loss, backpropagation, weight update"),
    Phase.INFER: ("inference", "answer: forward pass alone, to the prediction"),
}
"""What is timed for a purpose, by phase: its name, and what it is for."""


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
    """Import, build and first call together, with warm compile caches where any generation had them."""
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    verdict: str | None
    """Against the base; None for the base itself and for what is not ranked."""

    @property
    def key(self) -> tuple[str, int, str, str]:
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


def purposes(cells: "pd.DataFrame", starts_s: Mapping[tuple, float]) -> list[Purpose]:
    """Every measured purpose, case by case and arm by arm, training before inference.

    cells: frame `cells` joined with `summary`   starts_s: seconds to the first result, by `Purpose.key`
    """
    measured = cells[cells["phase"].isin(list(PURPOSES)) & cells["call_s"].notna()]
    rows = {(row.workload, row.batch_size, row.arm, row.phase): row for row in measured.itertuples()}
    cases = dict.fromkeys((workload, batch_size) for workload, batch_size, *_ in rows)
    keys = ((*case, arm, phase) for case in cases for arm in measured["arm"].unique() for phase in PURPOSES)
    return [_purpose(rows[key], starts_s.get(key)) for key in keys if key in rows]


def _purpose(row, start_s: float | None) -> Purpose:
    name, meaning = PURPOSES[row.phase]
    return Purpose(
        row.workload, int(row.batch_size), row.arm, row.backend, row.phase, name, meaning,
        _count(row.flops), row.call_s, row.call_s_low, row.call_s_high,
        start_s, _count(row.peak_rss_bytes), _count(row.peak_device_bytes), row.verdict,
    )  # fmt: skip


def _count(value) -> int | None:
    import pandas as pd

    return None if pd.isna(value) else int(value)
