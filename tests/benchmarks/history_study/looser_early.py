"""What a looser limit for the first looks would find, in a history of ten cells:
`python -m history_study.looser_early`.

Most false change points of 60 equal nights are reported late, since most looks are. So the p value
that a look wants could be larger while a series is short, and the share of false ones stay.
"""

from collections.abc import Iterator

import numpy as np
from dnnbench.stats.change_limits import limit_of

from .equal_series import INDEPENDENT, KINDS
from .nightly import looks
from .simulating import simulate, with_change

CELLS = 10
SHORT = 30
"""Points up to which the first limit holds."""
LIMITS = ((-8.55, -8.55), (-8.0, -8.55), (-7.8, -8.55), (-8.0, -8.4), (-7.8, -8.7))
"""Powers of ten: of a series of up to SHORT points, and of a longer one; today's come first."""
WORST = (
    "independent nights",
    "days carry over by 0.5",
    "long tails (4 degrees), days carry over by 0.5",
    "5 % of the runs slower by 5 to 30 %",
    "2 % of the runs slower, days carry over by 0.5",
)
BEFORE = (12, 20, 30, 40)
SOON = 5
SIZE = 0.05
BATCH, BATCHES, CHANGED = 20_000, 3, 4_000


def powers_of_ten(series: np.ndarray) -> np.ndarray:
    """Of the p value of every look that may report: (series, nights); 0 of the others."""
    seen = looks(series)
    return np.where(seen.alarms(1.0), seen.log_p, 0.0) / np.log(10)


def alarms(powers: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Whether a look reports: (series, nights)."""
    points = np.arange(1, powers.shape[1] + 1)
    return powers <= np.where(points <= SHORT, *limits)


def rows(batches: int = BATCHES) -> Iterator[list[str]]:
    """A row for each pair of limits: the worst kind's share of false ones over all cells, and the
    shares found after so many nights.
    """
    equal = [
        [
            powers_of_ten(simulate(KINDS[kind], BATCH, np.random.default_rng([7, place, batch])))
            for batch in range(batches)
        ]
        for place, kind in enumerate(WORST)
    ]
    changed = {
        before: powers_of_ten(
            with_change(
                simulate(INDEPENDENT, CHANGED, np.random.default_rng([9, before]), before + SOON),
                before,
                SIZE,
            )
        )
        for before in BEFORE
    }
    for limits in LIMITS:
        false = max(
            np.mean([alarms(part, limits).any(axis=1).mean() for part in parts]) for parts in equal
        )
        shares = [_found(powers, before, limits) for before, powers in changed.items()]
        yield [
            *(f"10^{limit}" for limit in limits),
            f"{CELLS * false:.2%}",
            *(f"{share:.1%}" for share in shares),
        ]


def _found(powers: np.ndarray, before: int, limits: tuple[float, float]) -> float:
    reported = alarms(powers, limits)
    is_false = reported[:, :before].any(axis=1)
    return float((reported[:, before:].any(axis=1) & ~is_false).mean())


def main() -> None:
    """The table, as Markdown."""
    from table import markdown

    print(f"today 10^{np.log10(limit_of(CELLS)):.2f}")
    heading = [f"up to {SHORT} points", "later", "false, worst kind"]
    print(markdown([*heading, *(f"after {before}" for before in BEFORE)], list(rows())))


if __name__ == "__main__":
    main()
