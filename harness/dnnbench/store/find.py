"""Which run a user means by a few letters."""

import re
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..wording import near_miss, shortened

if TYPE_CHECKING:
    import pandas as pd

LATEST = "latest"
SHORTEST_REVISION = 4
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def find_run(runs: "pd.DataFrame", text: str, place: str) -> str:
    """The run_id meant by `text`, from columns `run_id`, `label` and `revision` (oldest first).

    In this order: an exact id; `latest`; a label; a revision, or four or more of its first digits;
    a day in UTC (2026-11-30); the name of a machine; the beginning of exactly one id. Where a
    label, a revision, a day or a machine has several runs, the newest.
    Raises StoreError, with near misses and the newest runs, when no run or more than one is meant.
    """
    if not text.strip():
        raise StoreError(
            f"store {place}: got an empty name of a run; give its id, its label, or {LATEST}"
        )
    if runs.empty:
        raise StoreError(f"store {place}: holds no run yet; make one with `dnnbench run`")
    for chosen in (
        runs.run_id == text,
        (runs.run_id == runs.run_id.iloc[-1]) & (text == LATEST),
        runs.label == text,
        runs.revision.map(lambda revision: _is_revision(revision, text)),
        runs.created.str.startswith(text) & bool(DAY.fullmatch(text)),
        runs.machine_label == text,
    ):
        if chosen.any():
            return str(runs.run_id[chosen].iloc[-1])
    return _by_prefix(runs, text, place)


def _is_revision(revision: str | None, text: str) -> bool:
    return revision is not None and (
        revision == text or (len(text) >= SHORTEST_REVISION and revision.startswith(text))
    )


def _by_prefix(runs: "pd.DataFrame", text: str, place: str) -> str:
    matching = runs.run_id[runs.run_id.str.startswith(text)]
    if len(matching) == 1:
        return str(matching.iloc[0])
    if len(matching) > 1:
        some = ", ".join(matching.iloc[::-1][:5])
        raise StoreError(
            f"store {place}: {len(matching)} runs begin with {shortened(text)!r} ({some}); "
            "give more of it"
        )
    raise StoreError(
        f"store {place}: no run has id, label, revision, day or machine "
        f"{shortened(text)!r}{_near(runs, text)}"
    )


def _near(runs: "pd.DataFrame", text: str) -> str:
    columns = (runs[column] for column in ("run_id", "label", "revision", "machine_label"))
    names = {LATEST, *filter(None, chain.from_iterable(columns))}
    hint = near_miss(text, sorted(names), most=3)
    newest = runs.iloc[::-1][:5]
    shown = map(_shown, newest["run_id"], newest["label"])
    return f"{hint}; newest runs: {', '.join(shown)}"


def _shown(run_id: str, label: str | None) -> str:
    return f"{run_id} ({label})" if label else run_id
