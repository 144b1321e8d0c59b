"""Figures in a row as one short word: a block for each, as high as the figure."""

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
UNJUDGED = "·"
"""Stands for a figure that is not judged, or is none."""
BREAK = "|"
"""Stands where figures of different conditions meet."""
LEAST_SPAN = 0.02
"""A share of the middle: smaller ranges are drawn flat, or noise would look like change."""
MOST_SHOWN = 40
"""The newest figures that a line has room for."""


def sparkline(parts: Sequence[Sequence[float | None]]) -> str:
    """The newest figures, those of one part on either side of a break.

    parts: figures above 0, None for one that is not judged.  All share one scale, from the least to
    the greatest, of at least `LEAST_SPAN`.
    """
    figures = [figure for part in parts for figure in part if figure is not None]
    if not figures:
        return BREAK.join(UNJUDGED * len(part) for part in parts)
    low, high = min(figures), max(figures)
    middle = (low + high) / 2
    span = max(high - low, LEAST_SPAN * middle)
    bottom = middle - span / 2
    words = ["".join(_block(figure, bottom, span) for figure in part) for part in parts]
    return BREAK.join(words)[-MOST_SHOWN:]


def _block(figure: float | None, bottom: float, span: float) -> str:
    if figure is None or not math.isfinite(figure):
        return UNJUDGED
    place = int((figure - bottom) / span * len(BLOCKS))
    return BLOCKS[min(max(place, 0), len(BLOCKS) - 1)]
