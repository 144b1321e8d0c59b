"""The largest batch that fits, as a section: a row where memory ended, and how."""

from collections.abc import Sequence

from ..execution.find_batch import Largest
from .evidence import HEADLINES
from .quantity import MISSING, scaled
from .section import Cell, Column, Section, table

COLUMNS = (
    Column("workload", once=True),
    Column("phase", once=True),
    Column("arm"),
    Column("largest batch", number=True),
    Column("process peak", number=True),
    Column("spec, training", number=True, spare=1),
    Column("too large", number=True),
    Column("why", prose=True),
)


def largest_batches(rows: Sequence[Largest]) -> Section:
    """A row for each arm, workload and purpose."""
    return Section(
        id="largest-batch",
        title="The largest batch that fits",
        tables=(table(COLUMNS, [_row(row) for row in rows]),),
        brief="each in a worker of its own, ended before memory is",
    )


def _row(row: Largest) -> tuple[Cell, ...]:
    fits, beyond = row.fits, row.beyond
    return (
        Cell(row.workload),
        Cell(HEADLINES.get(row.phase, row.phase)),
        Cell(row.arm),
        Cell("none" if fits is None else f"{fits.batch_size:,}"),
        Cell(MISSING if fits is None else scaled(fits.peak_rss_bytes, "B")),
        Cell(scaled(row.foreseen_bytes, "B")),
        Cell(MISSING if beyond is None else f"{beyond.batch_size:,}"),
        Cell("" if beyond is None else beyond.reason),
    )
