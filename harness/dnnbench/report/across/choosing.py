"""Which runs of a store are set side by side: the newest of each machine, version or type, and
earlier ones that differ from it in nothing but the day.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ...execution.stored_settings import in_lists
from ...store.identity import canonical_json
from ...store.run_rows import RunRow, run_rows
from ...store.store import Store
from .by import By

MOST_RUNS = 20
"""Of one side: the newest tell how far its runs lie apart."""
ALIKE = ("dtypes", "threads", "devices", "timing", "memory")
"""Settings that runs must share to be repetitions of each other."""


def runs_of(store: Store, by: By, named: str | None = None) -> list[str]:
    """Their ids, newest first in each side; the one run that is named.

    StoreError for a store without a run.
    """
    if named is not None:
        return [store.find_run(named)]
    newest_first = list(reversed(run_rows(store.runs())))
    if not newest_first:
        return [store.find_run("latest")]
    sides = _sides(newest_first, by)
    return [run.run_id for side in sides for run in side[:MOST_RUNS]]


def _sides(newest_first: Sequence[RunRow], by: By) -> list[list[RunRow]]:
    """Runs that repeat the newest of each side."""
    if by is not By.MACHINE:
        newest_first = [r for r in newest_first if r.machine_id == newest_first[0].machine_id]
    several = [run for run in newest_first if len(_dtypes(run)) > 1]
    if by is By.DTYPE and several:
        return [_repeating(several[0], newest_first)]
    kinds = sorted(newest_first, key=lambda run: _kind(run, by))
    newest = [next(iter(runs)) for _, runs in groupby(kinds, lambda run: _kind(run, by))]
    newest.sort(key=lambda run: run.created)
    return [_repeating(run, newest_first) for run in newest]


def _repeating(run: RunRow, runs: Sequence[RunRow]) -> list[RunRow]:
    """The run and those that differ from it in nothing but the day."""
    return [other for other in runs if _repetition(other) == _repetition(run)]


def _kind(run: RunRow, by: By) -> str:
    """What runs of one side share."""
    if by is By.MACHINE:
        return run.machine_id
    return canonical_json(_software(run) if by is By.VERSION else _dtypes(run))


def _repetition(run: RunRow) -> tuple[Any, ...]:
    chosen = in_lists(run.settings.get("settings", {}))
    settings = {name: chosen.get(name) for name in ALIKE}
    return run.machine_id, canonical_json(_software(run)), canonical_json(settings)


def _software(run: RunRow) -> dict[str, Any]:
    return {**run.versions, "dnnbench": run.dnnbench_version}


def _dtypes(run: RunRow) -> list[str]:
    dtypes: list[str] = list(in_lists(run.settings.get("settings", {})).get("dtypes", []))
    return dtypes
