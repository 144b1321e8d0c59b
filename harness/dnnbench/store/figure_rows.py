"""Rows of the frame `figures` as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..protocol.figures import FigureKind
from ..wording import shortened

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FigureRow:
    """A figure of a cell in one generation; `columns` says what each column means."""

    run_id: str
    cell_id: str
    generation: int
    figure: str
    value: float | None
    """None where it could not be counted; `reason` says why."""
    unit: str
    figure_kind: FigureKind
    reason: str | None


def figure_rows(figures: "pd.DataFrame") -> list[FigureRow]:
    """The rows of frame `figures`; StoreError for one of no kind that there is."""
    from .frames import records

    return [_row(row) for row in records(figures)]


def _row(row: Mapping[str, Any]) -> FigureRow:
    try:
        return FigureRow(**{**row, "figure_kind": FigureKind(row["figure_kind"])})
    except ValueError as error:
        raise StoreError(
            f"figure {row['figure']} of cell {row['cell_id']} is none that can be read "
            f"({shortened(str(error))})"
        ) from error
