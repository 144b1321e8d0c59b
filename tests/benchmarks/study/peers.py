"""What other tools' rules say of the same visits: is the arm slower?

A rule is given the seconds a call of each side as one array a process,
and answers whether it calls the arm slower than the base. Where a rule only says "different",
the slower mean decides the direction. What each tool would have measured is kept where it can be:
numbers of values and processes are those that the recording has.
"""

from collections.abc import Callable, Sequence

import numpy as np

Processes = Sequence[np.ndarray]
VALUES = 3
SAMPLE_S = 0.01


def pytest_benchmark(base: Processes, arm: Processes, stat: Callable = np.median) -> bool:
    """`--benchmark-compare-fail=median:5%` or `min:5%`:
    fails if the stat is over 5 % above the saved run's.

    Every visit is a round. It runs in one process; here the rounds of several are taken together,
    which is kinder.
    Source: pytest-benchmark, docs/comparing.rst, and utils.PercentageRegressionCheck.
    """
    return bool(stat(np.concatenate(arm)) / stat(np.concatenate(base)) * 100 - 100 > 5)


def pyperf(base: Processes, arm: Processes, values: int = VALUES) -> bool:
    """`pyperf compare_to`: Student's two-sample, two-tailed t test at 95 % on all values
    of all processes.

    A value is the mean of many loops; a process gives three (`--values`).
    It starts 20 processes, here as many as there are. Source: pyperf, _compare.py
    (all values, `Benchmark.get_values`) and _utils.is_significant.
    """
    from scipy import stats

    sides = [
        [part.mean() for process in side for part in np.array_split(process, values)]
        for side in (base, arm)
    ]
    return bool(
        stats.ttest_ind(sides[1], sides[0]).pvalue <= 0.05 and np.mean(sides[1]) > np.mean(sides[0])
    )


def asv(base: Processes, arm: Processes, factor: float = 1.1) -> bool:
    """`asv continuous`: slower if the samples differ and the median is over `--factor`
    (1.1) times the base's.

    Samples are at least 10 ms long (`sample_time`); they differ by a Mann-Whitney U test
    at p < 0.002.
    Source: asv, docs "Writing benchmarks" (sample_time), commands/compare.py, _stats.is_different.
    """
    from scipy import stats

    before, after = (
        np.concatenate([_samples(process) for process in side]) for side in (base, arm)
    )
    slower = np.median(after) > factor * np.median(before)
    return bool(slower and stats.mannwhitneyu(after, before).pvalue < 0.002)


def hyperfine(base: Processes, arm: Processes) -> bool:
    """`scripts/welch_ttest.py`: Welch's t test on the times of the runs, p < 0.05.

    A run is a whole process, so its time is the sum of its visits;
    ten or more by default, here as many as there are. Source: hyperfine, scripts/welch_ttest.py.
    """
    from scipy import stats

    before, after = ([process.mean() for process in side] for side in (base, arm))
    return bool(
        stats.ttest_ind(after, before, equal_var=False).pvalue < 0.05
        and np.mean(after) > np.mean(before)
    )


def _samples(process: np.ndarray) -> np.ndarray:
    """Means over as many calls as last 10 ms."""
    length = max(1, round(SAMPLE_S / float(np.median(process))))
    return np.array(
        [part.mean() for part in np.array_split(process, max(1, len(process) // length))]
    )


RULES: dict[str, Callable[[Processes, Processes], bool]] = {
    "pytest-benchmark, median:5%": pytest_benchmark,
    "pytest-benchmark, min:5%": lambda base, arm: pytest_benchmark(base, arm, np.min),
    "pyperf compare_to": pyperf,
    "t test on process means": lambda base, arm: pyperf(base, arm, values=1),
    "asv, factor 1.1": asv,
    "hyperfine, Welch's script": hyperfine,
}
