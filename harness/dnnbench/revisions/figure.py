"""What a bisection may look for, and what every measurement of one needs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..execution.reporter import Reporter
from ..execution.request import Origin, Request
from ..execution.side_by_side import Subject
from ..host.lock import machine_lock
from ..protocol.arm import Arm
from ..store.patience import LIMIT_S, Patience
from ..store.store import Store, open_store
from .bisection import Confirmed, Ends
from .walk import Visited


@dataclass(frozen=True)
class Sitting:
    """request: each backend at the good end, then at the bad one.

    environments: of the good end and of the bad one.
    """

    request: Request
    environments: tuple[str, str]
    target: str
    origin: Origin
    wait_s: float
    report: Reporter

    def store(self) -> Store:
        """The store, open, to read from."""
        return open_store(self.target, patience=Patience(LIMIT_S, self.report.note))

    @contextmanager
    def measuring(self) -> Iterator[Store]:
        """The open store, on a machine that is held for measuring."""
        with machine_lock(wait_s=self.wait_s), self.store() as opened:
            yield opened

    def subject(self, ends: Ends) -> Subject:
        """The cell that the ends differ in."""
        return Subject(self.request, ends.arm, ends.case, ends.phase, ends.generation_s)

    def at_good(self, arm: Arm) -> Arm:
        """An arm of the bad end, at the good one."""
        return replace(arm, environment=self.environments[0])


class Figure(ABC):
    """How ends, candidates and the last revision are measured for one kind of figure."""

    def __init__(self, sitting: Sitting) -> None:
        self.sitting = sitting

    @abstractmethod
    def ends(self) -> Ends | str:
        """The cell in which the ends differ for certain, by the gate's rule; else why there is
        none.
        """

    @abstractmethod
    def visit(
        self, ends: Ends, environment: str, alpha: float, before: Sequence[str]
    ) -> Iterator[Visited]:
        """Which end a candidate is like, after every look; the last one counts.

        before: the runs of an earlier sitting.  The place in the line is left at 0.
        """

    @abstractmethod
    def confirm(self, ends: Ends, environment: str, parent: str) -> Confirmed:
        """A revision against the one before it, in fresh generations."""
