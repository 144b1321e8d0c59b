"""What other tools' rules say of the same series: does a look after a night report a slowdown?

Each takes (series, nights) of seconds and gives (series, nights) of answers.  Source of each rule:
the tool's documentation or code, named with it.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy import stats

Rule = Callable[[np.ndarray], np.ndarray]
MOST_SAMPLES = 64


def github_action_benchmark(series: np.ndarray) -> np.ndarray:
    """`alert-threshold: 150%`: the newest value is over 1.5 times the one before.

    Source: benchmark-action/github-action-benchmark, README.md and src/write.ts, findAlerts.
    """
    alarms = np.zeros(series.shape, bool)
    alarms[:, 1:] = series[:, 1:] > 1.5 * series[:, :-1]
    return alarms


def bencher(series: np.ndarray, boundary: float = 0.99) -> np.ndarray:
    """`--threshold-test t_test --threshold-max-sample-size 64 --threshold-upper-boundary 0.99`:
    the newest value lies above the quantile of Student's t with the mean and standard deviation of
    those before.

    Source: Bencher, docs "Thresholds & Alerts".
    """
    alarms = np.zeros(series.shape, bool)
    for night in range(2, series.shape[1]):
        before = series[:, max(0, night - MOST_SAMPLES) : night]
        quantile = stats.t.ppf(boundary, before.shape[1] - 1)
        limit = before.mean(axis=1) + quantile * before.std(axis=1, ddof=1)
        alarms[:, night] = series[:, night] > limit
    return alarms


def ruptures_rbf(series: np.ndarray) -> np.ndarray:
    """`Pelt(model="rbf").fit(signal).predict(pen=10)`, of ruptures' README: some change is upwards.

    `KernelCPD(kernel="rbf")` is the same cost and search in C.
    """
    return _by_search(series, "rbf", lambda values: 10.0)


def ruptures_bic(series: np.ndarray) -> np.ndarray:
    """PELT with squared error and the penalty of the Bayesian information criterion,
    2 s^2 log(n), s from the median difference of neighbours: some change is upwards.
    """
    return _by_search(series, "linear", _bic)


def _bic(values: np.ndarray) -> float:
    s = np.median(np.abs(np.diff(values))) / (np.sqrt(2) * stats.norm.ppf(0.75))
    return float(2 * s**2 * np.log(len(values)))


def _by_search(series, kernel: str, penalty: Callable[[np.ndarray], float]) -> np.ndarray:
    import ruptures

    alarms = np.zeros(series.shape, bool)
    for row, values in enumerate(series):
        for night in range(5, len(values)):
            seen = values[: night + 1]
            search = ruptures.KernelCPD(kernel=kernel, min_size=2).fit(seen[:, None])
            ends = [0, *search.predict(pen=penalty(seen))]
            means = [seen[a:b].mean() for a, b in pairwise(ends)]
            alarms[row, night] = bool((np.diff(means) > 0).any())
    return alarms


RULES: dict[str, Rule] = {
    "github-action-benchmark, 150 %": github_action_benchmark,
    "Bencher, t test, 0.99": bencher,
    "ruptures, rbf, penalty 10": ruptures_rbf,
    "ruptures, squares, BIC": ruptures_bic,
}
"""By the name of the table."""
