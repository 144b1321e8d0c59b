"""Rows of the frames `runs` and `cells` as values, whatever is missing as None:
read here, by attribute elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..errors import DnnbenchError, StoreError
from ..protocol.arm import Arm
from ..protocol.device import Device
from ..protocol.dtypes import DType
from ..protocol.keys import CaseKey, CellKey
from ..spec.phases import Phase
from ..wording import shortened

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunRow:
    """A run with its machine; `columns` says what each column means."""

    run_id: str
    label: str | None
    revision: str | None
    created: str
    finished: str | None
    status: str
    command: Sequence[str]
    settings: Mapping[str, Any]
    seed: int
    dnnbench_version: str
    versions: Mapping[str, Any]
    machine_id: str
    machine_label: str | None
    machine_class: str | None
    host_hash: str


@dataclass(frozen=True)
class CellRow:
    """A cell of a run, and what names it; `columns` says what each column means."""

    key: CellKey
    cell_id: str
    workload: str
    spec_hash: str
    arm: str
    arm_key: str
    backend: str
    batch_size: int
    phase: Phase
    status: str
    reason: str | None
    calls: int | None
    flops: int | None
    bytes: int | None
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    unequal: str | None
    rank_group: str | None

    @property
    def case(self) -> CaseKey:
        return self.key.case


_STORED = tuple(field.name for field in fields(CellRow) if field.name not in ("key", "phase"))


def run_rows(runs: "pd.DataFrame") -> list[RunRow]:
    """The rows of frame `runs`."""
    from .frames import records

    return [RunRow(**row) for row in records(runs)]


def cell_rows(cells: "pd.DataFrame", twin: str = "") -> list[CellRow]:
    """The rows of frame `cells` that are a workload's: all but the control arm's.

    twin: name of the arm that is the base a second time.  StoreError for a row that names no cell.
    """
    from .frames import records

    return [_cell_row(row, twin) for row in records(cells) if row["workload"]]


def _cell_row(row: Mapping[str, Any], twin: str) -> CellRow:
    try:
        key = cell_key(row, twin=row["arm"] == twin)
    except (DnnbenchError, ValueError, TypeError) as error:
        raise StoreError(
            f"cell {row['cell_id']} is none that can be read ({shortened(str(error))})"
        ) from error
    return CellRow(key=key, phase=key.phase, **{name: row[name] for name in _STORED})


def cell_key(row: Mapping[str, Any], twin: bool = False) -> CellKey:
    """What names a row of frame `cells`."""
    device = Device.parse(row["device"])
    dtype = DType(row["dtype"])
    arm = Arm(
        row["backend"], row["mode"], device, dtype, row["threads"], row["environment"] or "", twin
    ).named_as(row["arm"])
    return CellKey(arm, CaseKey(row["workload"], row["batch_size"]), Phase(row["phase"]))
