"""What it costs where NumPy's arrays begin in a cache line: `python -m study.alignment`.

A line has 64 bytes; NumPy aligns arrays to 16, so a process draws one of four places for each array
and keeps it.
"""

import numpy as np

from .forced import asked, ratios
from .kinds import REPEATS
from .service import Study
from .step import Step, layer_of, operands, placed

MOVED = {
    "none": (0, 0, 0),
    "none, again": (0, 0, 0),
    "input by 16": (16, 0, 0),
    "weights by 16": (0, 16, 0),
    "weights by 32": (0, 32, 0),
    "output by 16": (0, 0, 16),
    "all by 16": (16, 16, 16),
}
"""Bytes from the beginning of a page to input, weights and output."""


class Alignment(Study):
    """The service of the study's workers, and what this module asks of it."""

    def forced(self) -> list[float]:
        """Time of NumPy's step with its arrays moved so over that with none moved,
        for each of MOVED.
        """
        return ratios([_moved(*offsets) for offsets in MOVED.values()])


def _moved(input_bytes: int, weight_bytes: int, output_bytes: int) -> Step:
    x, w = operands()
    arrays = placed(x, input_bytes), placed(w, weight_bytes), placed(np.empty_like(x), output_bytes)
    return layer_of(*arrays, REPEATS)


def main() -> None:
    """The table, as Markdown."""
    from table import markdown

    print(
        markdown(
            ["moved", *MOVED],
            [["time of a step", *(f"{r:.3f}" for r in asked("alignment:Alignment", "forced"))]],
        )
    )


if __name__ == "__main__":
    main()
