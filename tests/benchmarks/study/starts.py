"""Whether arms differ alike in all generations of a trial, beyond their work:
no interval over generations shows that.

With m_ga the median over generation g's rounds of arm a's log time of a sub-step,
less the mean of all A arms in that round:

    kept    B = G var over a (mean over g m_ga)
    within  W = sum (m_ga - mean over g m_ga)^2 / ((G-1)(A-1))
    F = B / W with A-1 and (G-1)(A-1) degrees of freedom; variance that an arm keeps  (B - W) / G

which is an analysis of variance of two ways, arms and generations.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from table import markdown

from .bounds import Count
from .trial import Trial

CERTAIN = 0.01
IN_ONE, DRAWN = "in one order", "in an order drawn anew"


class Kept(NamedTuple):
    """Variance within an arm, variance that arms keep through a trial (may be negative),
    p of there being none.
    """

    within: float
    kept: float
    p: float


def kept_by_arms(trial: Trial) -> Kept | None:
    """Of all rounds that are not contended; None where fewer than two generations have such."""
    from scipy import stats

    logs = np.log(trial.seconds / np.array(list(trial.arms.values())))
    logs -= logs.mean(axis=1, keepdims=True)
    clean = [(trial.generation == g) & ~trial.contended for g in trial.generations]
    medians = np.array(
        [np.median(logs[rounds], axis=0) for rounds in clean if rounds.any()]
    )  # (G, A)
    if len(medians) < 2:
        return None
    medians -= medians.mean(axis=1, keepdims=True)
    generations, arms = medians.shape
    freedom = (generations - 1) * (arms - 1)
    within = float(np.square(medians - medians.mean(axis=0)).sum() / freedom)
    between = generations * float(np.var(medians.mean(axis=0), ddof=1))
    return Kept(
        within,
        (between - within) / generations,
        float(stats.f.sf(between / within, arms - 1, freedom)),
    )


def table_of(trials: Sequence[Trial]) -> str:
    """A row for each kind and way to start, as Markdown.

    Trials that are told no way started in one order.
    """
    ways: dict[tuple[str, str], list[Kept]] = {}
    for trial in trials:
        if found := kept_by_arms(trial):
            ways.setdefault((trial.kind, trial.facts.get("starts", IN_ONE)), []).append(found)
    rows = [[kind, way, str(len(found)), *_told(found)] for (kind, way), found in ways.items()]
    return markdown(
        ["kind", "arms start", "trials", "sd of an arm", "sd that arms keep", "p < 0.01"], rows
    )


def _told(found: Sequence[Kept]) -> list[str]:
    within, kept = (
        float(np.mean([getattr(one, name) for one in found])) for name in ("within", "kept")
    )
    certain = Count(sum(one.p < CERTAIN for one in found), len(found))
    return [f"{within**0.5:.2%}", f"{max(kept, 0.0) ** 0.5:.2%}", certain.between()]
