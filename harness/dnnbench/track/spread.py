"""How far this machine's recorded runs lie apart: what two of them cannot tell of themselves."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from ..execution.measured import Measured, measured
from ..stats.apart import Spread, log_times, spread_between
from ..store.identity import canonical_json
from ..store.store import Store
from .cells import setting, timed

MOST_RUNS = 20
"""The newest so many runs are read: a machine changes with the years, and a store grows."""
ALIKE = ("timing", "memory")
"""Settings that runs must share to be told apart by nothing but the day."""
History = dict[str, list[float]]
Shared = tuple[Any, ...]
"""What cells must have in common to be told apart: identity, settings and software."""


def spread_of(store: Store, machine_id: str, without: Collection[str]) -> tuple[Spread | None, int]:
    """The spread of a machine's runs, and how many there are that could tell it.

    without: runs to leave out, which are those to be compared.
    """
    runs = store.runs()
    mine = runs[(runs["machine_id"] == machine_id) & ~runs["run_id"].isin(list(without))]
    histories = histories_of(store, mine["run_id"].tail(MOST_RUNS))
    several = [history for history in histories.values() if len(history) >= 2]
    return spread_between(several), len(set(chain.from_iterable(several)))


def histories_of(store: Store, run_ids: Iterable[str]) -> dict[Shared, History]:
    """Log times by run of every cell, one a generation.

    A cell counts in those runs that measured it with the same versions and settings,
    by two generations or more and with nothing against its time.
    """
    histories: dict[Shared, History] = defaultdict(dict)
    for run_id in run_ids:
        run = measured(store, run_id)
        for key, logs in _logs(run):
            histories[key][run_id] = logs
    return histories


def _logs(run: Measured) -> Iterator[tuple[Shared, list[float]]]:
    """Log times of every sound cell of a run, in units of the control arm,
    by what they must share.
    """
    alike = tuple(setting(run, name) for name in ALIKE)
    software = canonical_json({"versions": run.run.versions, "dnnbench": run.run.dnnbench_version})
    for key, cell in timed(run).items():
        recorded = run.recorded(cell)
        if recorded.control is None or run.time_doubt(cell):
            continue
        logs: Any = log_times(recorded, normal=True)
        if len(logs) >= 2:
            yield (*key, *alike, software), list(logs)
