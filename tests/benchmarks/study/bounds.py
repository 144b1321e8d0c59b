"""Counts with their limits: what k of n shows, and what it does not."""

import math
from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Count:
    """k hits of n trials, and the exact limits of their share.

    Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404; each limit one-sided at 95 %.
    """

    hits: int
    n: int

    @property
    def share(self) -> float:
        """NaN of no trials."""
        return self.hits / self.n if self.n else math.nan

    @property
    def upper(self) -> float:
        """The share is at most this: 1 - (1 - 0.95)^(1/n) for no hits."""
        from scipy import stats

        return (
            1.0
            if self.hits == self.n
            else float(stats.beta.ppf(LEVEL, self.hits + 1, self.n - self.hits))
        )

    @property
    def lower(self) -> float:
        """The share is at least this."""
        from scipy import stats

        return (
            0.0
            if self.hits == 0
            else float(stats.beta.ppf(1 - LEVEL, self.hits, self.n - self.hits + 1))
        )

    def at_most(self) -> str:
        """As "0 of 60 (at most 4.9 %)"."""
        return f"{self.hits} of {self.n} (at most {self.upper:.1%})" if self.n else NONE

    def at_least(self) -> str:
        """As "57 of 60 (95 %, at least 88 %)"."""
        return (
            f"{self.hits} of {self.n} ({self.share:.0%}, at least {self.lower:.0%})"
            if self.n
            else NONE
        )

    def between(self) -> str:
        """As "57 of 60 (95 %; 88 to 99 %)", from limit to limit."""
        return (
            f"{self.hits} of {self.n} ({self.share:.1%}; {self.lower:.1%} to {self.upper:.1%})"
            if self.n
            else NONE
        )


NONE = "no trial yet"
