"""Ratios of many workloads as one: their geometric mean, with an interval over generations.

How workloads differ is no error of that mean: it holds for these workloads, and the interval tells
what the same run would say once more ("within-run error only").  Runs, machines and workloads that
were not measured are not in it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .estimates import LEVEL, Estimate, Pairs, exp_interval, mean_interval

ByGeneration = Mapping[int, float]
"""A log ratio, or a log time, by the number of its generation."""


def effects_by_generation(pairs: Pairs) -> dict[int, float]:
    """D_g of log pairs (see `Pairs.effects`) by generation, over the rounds that are kept."""
    generations = np.unique(pairs.kept().generation)
    return dict(zip(generations.tolist(), pairs.effects().tolist(), strict=True))


def mean_by_generation(members: Sequence[ByGeneration]) -> dict[int, float]:
    """M_g = mean over members of D_g, in the generations that every member has, in their order.

    members: D_g of a workload each, all weighing the same.  Of a workload with several batch sizes
    this function gives the one member, from a member for each size.

    Members of one generation share what that generation's processes and hour were like, so they are
    no independent samples: one number a generation is what is left of them.  Of two runs measured
    apart, `welch_ratio(list(mean_by_generation(old).values()), list(...new...))` is the ratio, from
    log times instead of log ratios.
    """
    if not members:
        return {}
    shared = sorted(set.intersection(*(set(member) for member in members)))
    return {
        generation: float(np.mean([member[generation] for member in members]))
        for generation in shared
    }


def geometric_mean(members: Sequence[ByGeneration], level: float = LEVEL) -> Estimate:
    """exp(mean of M_g) with its t(G - 1) interval; see `mean_by_generation`.

    members: log ratios.  NaN limits below two generations, all NaN where none is shared.
    """
    means = list(mean_by_generation(members).values())
    return exp_interval(*mean_interval(means, level), len(means))
