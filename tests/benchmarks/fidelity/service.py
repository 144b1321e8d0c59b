"""A worker's service: one arm's program of one network beside its twins, visited in turn."""

import math
from dataclasses import dataclass
from statistics import median

from dnnbench.execution.rounds import schedule
from dnnbench.host.clock import now
from dnnbench.plugins.discovery import load_backend
from dnnbench.worker.services.arm import StartRequest

from .comparing import Equality, sides_of
from .networks import NETWORKS, PHASES
from .sides import PROGRAM, visit
from .styles import styles_of, versions_of

VISIT_S = 0.004
"""Short, since an interrupted visit says nothing."""
WARM_CALLS = 5
LEAST_ROUNDS = 5
"""Of calls of a second, which six processes repeat."""


@dataclass(frozen=True)
class SideVisit:
    """One visit of one side: its place in the rounds, seconds a call by the clock and of CPU."""

    phase: str
    side: str
    round: int
    position: int
    wall_s: float
    cpu_s: float


class Fidelity:
    """One arm, one network."""

    def start(self, request: StartRequest) -> dict[str, str]:
        """Import the framework; the versions of what the sides compute with."""
        self._arm = request.arm
        self._backend = load_backend(request.target)
        self._backend.configure(self._arm)
        return dict(self._backend.versions()) | versions_of(self._arm.name)

    def build(self, name: str) -> dict[str, Equality]:
        """Make program and twins, and be sure that they compute the same, by twin."""
        network, self._styles = NETWORKS[name], styles_of(self._arm.name, name)
        self._sides, equality = sides_of(
            network, network.timed, self._styles, self._backend, self._arm
        )
        return equality

    def compare(self, name: str) -> dict[str, Equality]:
        """How equal twins are to the program at the network's small sizes, in the arm's element
        type, by twin.
        """
        network, styles = NETWORKS[name], styles_of(self._arm.name, name)
        return sides_of(network, network.small, styles, self._backend, self._arm)[1]

    def rounds(self, seconds: float, seed: int) -> list[SideVisit]:
        """Visits for so many seconds, and for `LEAST_ROUNDS` rounds at least."""
        cells = {phase: [PROGRAM, *self._twins(phase)] for phase in PHASES}
        calls = {phase: self._calls(phase, sides) for phase, sides in cells.items()}
        visits: list[SideVisit] = []
        end = now() + seconds
        for number, phases in enumerate(schedule(cells, seed)):
            if number >= LEAST_ROUNDS and now() >= end:
                break
            for phase, order in phases:
                visits += self._visits(phase, order, number, calls[phase])
        return visits

    def _twins(self, phase: str) -> list[str]:
        return [name for name, style in self._styles.items() if phase in style.phases]

    def _visits(self, phase, order, number, calls) -> list[SideVisit]:
        visits = []
        for position, side in enumerate(order):
            timed = visit(self._sides[side], phase, calls)
            visits.append(SideVisit(phase, side, number, position,
                                    timed.wall_s / calls, timed.cpu_s / calls))  # fmt: skip
        return visits

    def _calls(self, phase: str, sides: list[str]) -> int:
        """One number for all sides, so that all spread the clock's cost over as many calls."""
        return math.ceil(VISIT_S / min(self._warm_s(side, phase) for side in sides))

    def _warm_s(self, side: str, phase: str) -> float:
        return median(visit(self._sides[side], phase, 1).wall_s for _ in range(WARM_CALLS))
