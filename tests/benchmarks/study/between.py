"""How often an interval between two recorded runs holds 1, where nothing changed:
`python -m study.between STORE`.

Every pair of a store's runs is compared as `dnnbench compare` does:
by the error within the two alone, and with the spread that the other runs show.
Pairs share runs, so the counts are no independent trials.
"""

import argparse
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
from dnnbench.stats.apart import Spread, spread_between, welch_ratio
from dnnbench.store.store import open_store
from dnnbench.track.spread import histories_of

from .bounds import Count

History = Mapping[str, list[float]]


def main() -> None:
    """The table, as Markdown."""
    from table import markdown

    parser = argparse.ArgumentParser(prog="study.between", description=__doc__)
    parser.add_argument("store", type=Path)
    with open_store(parser.parse_args().store, create=False) as store:
        runs = store.runs()
        histories = list(histories_of(store, list(runs["run_id"])).values())
    print(
        markdown(
            ["interval", "holds 1", "median half-width", "spread (sd), median"], rows(histories)
        )
    )


def rows(histories: list[History]) -> list[list[str]]:
    """A row for each kind of interval, over all pairs of runs and all cells that both measured."""
    pairs = list(combinations(sorted({run for history in histories for run in history}), 2))
    return [
        _row("within-run error only", list(_compared(histories, pairs, widened=False))),
        _row("with the spread of the other runs", list(_compared(histories, pairs, widened=True))),
    ]


def _compared(histories, pairs, widened: bool) -> Iterator[tuple[bool, float, float]]:
    """Whether 1 is held, the half-width (log), and the sd of the spread, for each pair and cell."""
    for pair in pairs:
        spread = _of_others(histories, pair) if widened else None
        for history in histories:
            if all(run in history for run in pair):
                found = welch_ratio(*(history[run] for run in pair), spread=spread)
                yield (
                    found.low <= 1 <= found.high,
                    np.log(found.high / found.low) / 2,
                    spread.sd if spread else np.nan,
                )


def _of_others(histories: list[History], pair: tuple[str, str]) -> Spread | None:
    others = [
        {run: logs for run, logs in history.items() if run not in pair} for history in histories
    ]
    return spread_between(others)


def _row(name: str, found: list[tuple[bool, float, float]]) -> list[str]:
    held = Count(sum(holds for holds, _, _ in found), len(found))
    halves, spreads = (np.array([row[place] for row in found]) for place in (1, 2))
    spread = "" if np.isnan(spreads).all() else f"{np.median(spreads):.2%}"
    return [name, f"{held.hits} of {held.n} ({held.share:.0%})", f"{np.median(halves):.2%}", spread]


if __name__ == "__main__":
    main()
