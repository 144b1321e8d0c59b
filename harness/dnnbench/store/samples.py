"""Visits as bytes: one blob holds all samples of a cell in a generation,
exactly as they were taken.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import StoreError

if TYPE_CHECKING:
    import numpy as np

LAYOUT_VERSION = 1
DTYPE = "<f8"
COLUMNS = ("round", "position", "k", "seconds", "flags")
WHOLE = tuple(name for name in COLUMNS if name != "seconds")


@dataclass(frozen=True)
class Block:
    """A blob and what is needed to read it: layout version, element type, column names,
    number of visits.
    """

    blob: bytes
    n: int
    layout_version: int = LAYOUT_VERSION
    dtype: str = DTYPE
    columns: str = ",".join(COLUMNS)


def pack(visits: "np.ndarray") -> Block:
    """The block of an array of visits, one row a visit.

    visits: (n, 5), the columns of `COLUMNS`: round, position, k (all whole numbers),
    seconds of the k calls together, flags. Raises StoreError for another shape, for numbers
    that are not finite, negative ones, and k < 1; a block that was accepted reads back bit for bit.
    """
    import numpy as np

    rows = np.ascontiguousarray(visits, dtype=DTYPE)
    if rows.ndim != 2 or rows.shape[1] != len(COLUMNS):
        raise StoreError(f"samples: got shape {rows.shape}, expected (n, 5) with columns {COLUMNS}")
    _check_values(rows)
    return Block(rows.tobytes(), len(rows))


def _check_values(rows: "np.ndarray") -> None:
    import numpy as np

    whole = [COLUMNS.index(name) for name in WHOLE]
    good = np.isfinite(rows) & (rows >= 0)
    good[:, whole] &= rows[:, whole] == np.floor(rows[:, whole])
    good[:, COLUMNS.index("k")] &= rows[:, COLUMNS.index("k")] >= 1
    if not good.all():
        row, column = np.argwhere(~good)[0]
        raise StoreError(
            f"samples: visit {row} has {COLUMNS[column]} = {rows[row, column]}; expected finite "
            "numbers, none negative, all but seconds whole, and k at least 1"
        )


def unpack(block: Block) -> "np.ndarray":
    """The visits of a block, (n, 5) in native byte order.

    StoreError when the block is of another layout.
    """
    import numpy as np

    ours = (LAYOUT_VERSION, DTYPE, ",".join(COLUMNS))
    layout = (block.layout_version, block.dtype, block.columns)
    if layout != ours:
        raise StoreError(
            f"samples: got layout {layout}, this dnnbench reads {ours}; upgrade dnnbench"
        )
    expected = block.n * len(COLUMNS) * np.dtype(DTYPE).itemsize
    if len(block.blob) != expected:
        raise StoreError(
            f"samples: {block.n} visits in {len(block.blob)} bytes, expected {expected} bytes"
        )
    return np.frombuffer(block.blob, dtype=DTYPE).reshape(block.n, len(COLUMNS)).astype("=f8")
