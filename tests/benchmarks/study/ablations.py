"""Each default left out or changed, on the same recordings: what it is good for."""

from collections.abc import Callable
from functools import partial

from . import cuts
from .judging import Judged, in_stretches, keeping_all, pooled, unpaired, verdict
from .trial import Trial

Rule = Callable[[Trial, str, str], Judged]
STRETCHES = (1, 4, 16, 64)
THINNED = (4, 16)


def _of(cut: Callable[[Trial], Trial], rule: Rule = verdict) -> Rule:
    return lambda trial, arm, base: rule(cut(trial), arm, base)


ABLATIONS: dict[str, Rule] = {
    "as shipped": verdict,
    "dead zone 1 %": partial(verdict, theta=0.01),
    "no dead zone": partial(verdict, theta=0.0),
    "contended rounds kept": keeping_all,
    "without pairs": unpaired,
    "rounds as the unit": pooled,
    **{f"one round in {n}": _of(partial(cuts.every, n=n)) for n in THINNED},
    "half the seconds, all generations": _of(cuts.half),
    "half the seconds, half the generations": _of(cuts.half_the_generations),
    **{
        f"visits as long as {n} round{'s' * (n > 1)}": partial(in_stretches, length=n)
        for n in STRETCHES
    },
}
"""Name -> what is said of (trial, arm, base)."""
