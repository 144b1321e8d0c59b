"""docs/gate.md: its figures follow from the rule."""

import re
from pathlib import Path

import numpy as np
from dnnbench.stats.estimates import smallest_difference
from helpers.gates import ALPHA, THETA, share

COLUMNS = [(generations, flagged) for generations in (6, 10, 20) for flagged in (1, 5)]
"""Of the page's table."""
PAGE = (Path(__file__).parents[2] / "docs/gate.md").read_text()


def test_the_page_tells_what_a_confirmation_finds():
    rows = [
        line.strip("| ").split(" | ")
        for line in PAGE.splitlines()
        if re.match(r"\| \d\.\d % \|", line)
    ]
    assert len(rows) == 4
    for spread, *found in rows:
        assert found == [
            f"{seen(share(spread), *columns):.1%}".replace("%", " %") for columns in COLUMNS
        ]


def seen(spread, generations, flagged):
    """The smallest slowdown, where the effects have exactly this standard deviation."""
    effects = np.linspace(-1, 1, generations)
    return smallest_difference(effects * spread / effects.std(ddof=1), THETA, alpha=ALPHA / flagged)
