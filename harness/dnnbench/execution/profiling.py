"""After the visits of a case: calls looked into by the frameworks' own tools (`run --profile`)."""

import hashlib
import math
import re
from contextlib import suppress
from math import ceil
from pathlib import Path

from ..errors import StoreError, WorkerError
from ..protocol.arm import Arm
from ..protocol.keys import CellKey
from ..spec.phases import PURPOSES
from ..worker.ended import WorkerLost
from ..worker.services.timing import Profiled
from .cells import Cells, Replace
from .facts import ProfileFacts
from .plan import Case
from .pool import WorkerPool
from .record import Record
from .reporter import Reporter

PROFILES = "profiles"
"""The folder beside a store that has a folder for each run."""
LOOK_S = 0.2
MOST_CALLS = 20
"""As many calls as take `LOOK_S`, one at least."""
_NO_NAME = re.compile(r"[^A-Za-z0-9.=,-]+")


class Profiling:
    """Asks for profiles of training steps and inferences; what fails costs no measured cell.

    folder: where traces go; made when there is one.
    """

    def __init__(
        self,
        pool: WorkerPool,
        cells: Cells,
        replace: Replace,
        record: Record,
        report: Reporter,
        folder: Path,
    ) -> None:
        self._pool, self._cells, self._replace = pool, cells, replace
        self._record, self._report, self._folder = record, report, folder

    def look(self, arm: Arm, case: Case) -> None:
        """Into every purpose of a program that was timed."""
        for phase in self._cells.runnable(arm, case):
            if phase in PURPOSES:
                key = CellKey(arm, case.key, phase)
                self._report.advance(0, f"looking into {key}")
                self._record.cells[key].profile = self._profile(key, case)

    def _profile(self, key: CellKey, case: Case) -> ProfileFacts:
        calls = min(max(ceil(LOOK_S / max(self._cells.call_s[key], 1e-7)), 1), MOST_CALLS)
        try:
            profiled = self._pool.timing(key.arm).profile(case.name, key.phase, calls)
        except WorkerError as error:
            self._report.note(f"{key}: measured, but not looked into: {error}")
            if isinstance(error, WorkerLost):
                self._replace(key.arm, case)
            return ProfileFacts(no_nodes=str(error), no_trace=str(error))
        return ProfileFacts(
            call_s=profiled.call_s if math.isfinite(profiled.call_s) else None,
            forward_s=dict(profiled.forward_s),
            backward_s=dict(profiled.backward_s),
            no_nodes=profiled.no_nodes,
            trace=self._kept(key, profiled),
            opens=profiled.opens,
            no_trace=profiled.no_trace,
        )

    def _kept(self, key: CellKey, profiled: Profiled) -> str:
        """The name of the file that the trace went into; empty where there is none."""
        if not len(profiled.trace):
            return ""
        path = self._folder / f"{file_name(key)}.{_NO_NAME.sub('', profiled.suffix)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(profiled.trace.tobytes())
        except OSError as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise StoreError(
                f"run --profile: {path} cannot be written ({error.strerror}); name another --store"
            ) from error
        return path.name


def file_name(key: CellKey) -> str:
    """Of a cell's trace: readable, and no other cell's."""
    text = str(key)
    plain = _NO_NAME.sub("-", text).strip("-")[:80]
    return f"{plain}-{hashlib.sha256(repr(key).encode()).hexdigest()[:8]}"
