"""What a command's exit code tells a script."""

from collections.abc import Iterable

OK = 0
FAILED = 1
"""A cell failed, or differs from the reference; also a fault of dnnbench itself."""
USAGE = 2
REGRESSION = 3
"""Slower than before, for certain."""
NOTHING_MEASURED = 4
INTERRUPTED = 130
READER_GONE = 141
"""Whoever read the output stopped reading: what a shell reports of any program ended by SIGPIPE."""

WORST_FIRST = (INTERRUPTED, READER_GONE, USAGE, NOTHING_MEASURED, FAILED, REGRESSION, OK)


def worst(codes: Iterable[int]) -> int:
    """The one code to end with where several hold.

    OK if there is none, ValueError for a foreign code.
    """
    return min(codes, key=WORST_FIRST.index, default=OK)
