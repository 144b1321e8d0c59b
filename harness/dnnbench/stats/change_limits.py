"""Up to which p value a change point is reported: the rule's calibration.

Counted by `make history-study`, in docs/proof_history.md.
"""

FAMILY_ALPHA = 0.01
"""Chance that any cell of a history of `WINDOW` equal runs shows a change point on any night, at
most.
"""
WINDOW = 60
"""Runs that a search looks at, the newest ones; what it is calibrated for."""
LEAST_SIDE = 4
"""Runs that a change point has on either side at least."""
LEAST_POINTS = 10
"""Runs that a search needs at least."""
SCALE, POWER = 10**-1.8, 2.25


def limit_of(cells: int) -> float:
    """The p value of one look at one place that a change point has at most.

        limit = SCALE (FAMILY_ALPHA / cells) ^ POWER

    A line in logarithms below the least p values that 60 looks at equal series come to: with share
    10^-2, 10^-3 and 10^-4 of the worst kind of series, of 100,000 of each, among them days that
    carry over, long tails and outliers.  Beyond a hundred cells the line is continued.
    """
    return float(SCALE * (FAMILY_ALPHA / max(cells, 1)) ** POWER)
