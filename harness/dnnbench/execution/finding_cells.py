"""A cell of a recorded run by what its user copies from a table: an id, or words that name it."""

from collections.abc import Sequence

from ..errors import UsageError
from ..store.run_rows import CellRow
from ..wording import near_miss, shortened

SHORTEST_ID = 6
MOST_SHOWN = 8
"""Cells that a message lists."""


def find_cell(cells: Sequence[CellRow], text: str, run_id: str) -> CellRow:
    """The one cell that every word of `text` names.

    A word is a cell's id or its beginning, an arm (`torch`, `torch:compile`, as printed), an
    element type (`float32`), threads (`threads=2`), a workload with or without its batch size
    (`mlp_digits/64`), or a phase. UsageError where no cell fits, or several do.
    """
    words = text.split()
    for word in words:
        if not any(_names(word, cell) for cell in cells):
            raise UsageError(_nothing(cells, word, run_id))
    fitting = [cell for cell in cells if all(_names(word, cell) for word in words)]
    exact = [cell for cell in fitting if any(word == cell.arm for word in words)] or fitting
    if len(exact) == 1:
        return exact[0]
    wanted = shortened(repr(text))
    if not exact:
        raise UsageError(
            f"run {run_id}: no cell is {wanted}; each word names some cell, no cell all of them: "
            f"{_shown(cells)}"
        )
    raise UsageError(f"run {run_id}: {wanted} names {len(exact)} cells, name one: {_shown(exact)}")


def _names(word: str, cell: CellRow) -> bool:
    arm = cell.key.arm
    plain = (cell.arm, cell.backend, f"{cell.backend}:{arm.mode}", str(arm.dtype))
    options = (f"dtype={arm.dtype}", f"threads={arm.threads}")
    done = (cell.workload, str(cell.case), str(cell.phase))
    return word in plain + options + done or (
        len(word) >= SHORTEST_ID and cell.cell_id.startswith(word)
    )


def _nothing(cells: Sequence[CellRow], word: str, run_id: str) -> str:
    """With near misses among what could be named."""
    names = {
        name
        for cell in cells
        for name in (cell.arm, str(cell.key.arm.dtype), str(cell.case), str(cell.phase))
    }
    near = near_miss(word, sorted(names))
    return f"run {run_id}: no cell is named by {shortened(repr(word))}{near}; {_shown(cells)}"


def _shown(cells: Sequence[CellRow]) -> str:
    """`torch:eager mlp_digits/64 infer; ...`"""
    if not cells:
        return "the run has no cells"
    more = f"; and {len(cells) - MOST_SHOWN} more" if len(cells) > MOST_SHOWN else ""
    return "; ".join(str(cell.key) for cell in cells[:MOST_SHOWN]) + more
