"""How many calls make a visit: as few as the clock allows."""

import math

from ..errors import UsageError

MIN_VISIT_S = 1e-3
MIN_READ_COSTS = 1e4
MAX_CALLS = 65536


def calls_per_visit(call_s: float, read_cost_s: float, max_calls: int = MAX_CALLS) -> int:
    """The smallest k for which k calls last 1 ms and 10,000 times a read of the clock.

        k = ceil(max(1e-3, 1e4 read_cost_s) / call_s), 1 <= k <= max_calls

    call_s: measured seconds a call, on the warm worker; for arms that differ in environment
    or revision only, the smallest of theirs, so that they share k.
    The cap ends what no real call asks for: a Python call costs over 15 ns,
    so a longer visit stands for a time below the clock's grain.
    Raises UsageError if call_s is negative or not finite.
    """
    if not 0 <= call_s < math.inf:
        raise UsageError(
            f"seconds a call: got {call_s}, wanted a finite time of at least 0; time the call again"
        )
    wanted_s = max(MIN_VISIT_S, MIN_READ_COSTS * read_cost_s)
    if call_s * max_calls <= wanted_s:
        return max_calls
    return max(1, math.ceil(wanted_s / call_s))
