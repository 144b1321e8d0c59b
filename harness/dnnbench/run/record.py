"""What one generation found; complete or interrupted, everything in it was measured."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

CellKey = tuple[str, str, str]
"""(arm, case, phase)"""


@dataclass
class Record:
    """Visits by cell as (round, position, k, seconds, flags), and why some cells have none."""

    visits: dict[CellKey, list[tuple]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[CellKey, str] = field(default_factory=dict)
    unsupported: dict[CellKey, str] = field(default_factory=dict)
    first_calls: dict[CellKey, dict] = field(default_factory=dict)
    peaks: dict[CellKey, dict] = field(default_factory=dict)
    programs: dict[str, dict] = field(default_factory=dict)
    """What each program says of itself, by `<arm> <case>`."""
    versions: dict[str, dict] = field(default_factory=dict)
    """Versions by backend."""

    def blocks(self) -> dict[CellKey, np.ndarray]:
        """(n, 5) array of visits by cell."""
        return {key: np.array(rows, np.float64) for key, rows in self.visits.items() if rows}

    def without(self) -> set[CellKey]:
        """Cells that are not to be visited."""
        return {*self.failures, *self.unsupported}
