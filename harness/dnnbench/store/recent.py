"""Names of the newest runs of an SQLite store, for a shell that waits for them.

By the standard library alone: opening a store as everything else does imports half a second of
others' code.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

MOST = 50
PATIENCE_S = 0.2
"""How long a file that is being written to is waited for."""
QUERY = "SELECT run_id, label, created FROM run ORDER BY run_id DESC LIMIT ?"


@dataclass(frozen=True)
class RecentRun:
    """How a run may be called, and when it began."""

    run_id: str
    label: str | None
    created: str


def recent_runs(target: str) -> list[RecentRun]:
    """The newest first; none of a store that is not there, is no SQLite file, or is busy."""
    path = Path(target).expanduser()
    if not path.is_file():
        return []
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE_S)) as connection:
            return [RecentRun(*row) for row in connection.execute(QUERY, [MOST])]
    except (sqlite3.Error, OSError):
        return []
