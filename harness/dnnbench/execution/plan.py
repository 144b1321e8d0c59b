"""What a run will do, decided before anything starts: arms, cases, cells."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..protocol.arm import Arm
from ..protocol.device import CPU, Device
from ..spec.costs import phase_totals
from ..spec.phases import Phase
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from .arms import Contender, Selection
from .settings import Settings

CONTROL = "control"
"""Name of the control arm and of its one phase."""


def twin_of(arm: str) -> str:
    """The name of an arm that is measured a second time."""
    return f"{arm}#twin"


CONTROL_ARM = Arm(CONTROL, "eager", CPU, "float32", threads=1)
"""One thread: two would wait for each other, and tell of the machine's load twice over."""


@dataclass(frozen=True)
class Case:
    """A workload at one batch size, and the weights that inference is timed with."""

    workload: Workload
    batch_size: int
    weights: Mapping[str, np.ndarray] = field(repr=False, hash=False, compare=False)
    weights_origin: str = "initial"

    @property
    def name(self) -> str:
        return f"{self.workload.name}/{self.batch_size}"


@dataclass(frozen=True)
class Lane:
    """One arm of the run; `unequal` says why it may not be ranked against the others.

    twin: whether it is the base a second time, whose ratio must cover 1.
    """

    contender: Contender
    arm: Arm
    unequal: str | None = None
    twin: bool = False

    @property
    def name(self) -> str:
        return twin_of(self.contender.name) if self.twin else self.contender.name


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know."""

    lanes: tuple[Lane, ...]
    cases: tuple[Case, ...]
    settings: Settings
    base: str
    skipped: Mapping[str, str]
    notes: tuple[str, ...] = ()
    data_facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What identifies a workload's data where they differ between machines, by workload."""
    only: frozenset[tuple[str, str]] = frozenset()
    """(case, phase) of everything that is timed; empty for all of it."""
    paired: bool = False
    """Whether the arms do not fit in memory together, so that each is measured with the base alone."""

    def pools(self) -> tuple["Plan", ...]:
        """What one set of processes measures after the other: everything, or the base with each arm in turn."""
        others = [lane for lane in self.lanes if lane.name != self.base]
        if not self.paired or len(others) < 2:
            return (self,)
        (base,) = (lane for lane in self.lanes if lane.name == self.base)
        return tuple(replace(self, lanes=(base, lane)) for lane in others)

    def phases(self, case: Case) -> tuple[str, ...]:
        """What is timed of a case; `infer` alone of a network that nobody trains."""
        wanted = [phase for phase in self.settings.phases if not self.only or (case.name, phase) in self.only]
        return tuple(phase for phase in wanted if phase == Phase.INFER or not case.workload.inference_only)

    def limited_to(self, only: Collection[tuple[str, str]]) -> "Plan":
        """The same plan with nothing but these (case, phase)."""
        cases = tuple(case for case in self.cases if any(case.name == name for name, _ in only))
        return replace(self, cases=cases, only=frozenset(only))

    def cells(self) -> list[dict]:
        """A row for each arm, case and phase, and one for the control arm, as the store wants them."""
        rows = [
            self._cell(lane, case, phase) for case in self.cases for phase in self.phases(case) for lane in self.lanes
        ]
        return [*rows, self._control_cell()]

    def _cell(self, lane: Lane, case: Case, phase: str) -> dict:
        itemsize = lane.arm.precision.itemsize
        totals = phase_totals(case.workload, case.batch_size, phase, itemsize) or (None, None)
        same_place = f"{lane.arm.device} {lane.arm.dtype} {lane.arm.threads} threads"
        return {
            **_identity(lane.arm, lane.name),
            "workload": case.workload.name,
            "spec_hash": case.workload.spec_hash,
            "batch_size": case.batch_size,
            "phase": phase,
            "flops": totals[0],
            "bytes": totals[1],
            "unequal": lane.unequal,
            "rank_group": f"{case.name} {phase} {same_place}",
        }

    def _control_cell(self) -> dict:
        arm = CONTROL_ARM
        blank = {"workload": "", "spec_hash": "", "batch_size": 0, "phase": CONTROL, "rank_group": CONTROL}
        return {
            **_identity(arm, CONTROL),
            **blank,
            "flops": None,
            "bytes": None,
            "unequal": "the control arm is a yardstick",
        }


def _identity(arm: Arm, name: str) -> dict:
    key = arm.to_json()
    return {
        "arm": name,
        "arm_key": key,
        **{k: key[k] for k in ("backend", "mode", "device", "dtype", "threads", "environment")},
    }


def cases_of(
    workloads: Sequence[Workload],
    batch_sizes: Sequence[int],
    weights: Mapping[str, np.ndarray] | None,
    origin: str,
    seed: int,
) -> tuple[Case, ...]:
    """Every workload at every batch size asked for, else at its own; initial weights unless some are given."""
    return tuple(
        Case(w, size, initial_weights(w.model, seed) if weights is None else weights, origin)
        for w in workloads
        for size in (batch_sizes or (w.batch_size,))
    )


def lanes_of(selection: Selection, settings: Settings, device: Device) -> tuple[tuple[Lane, ...], tuple[str, ...]]:
    """(arms on their devices, what the user must know): the reference stays on the CPU, unranked against a GPU or TPU."""
    lanes, notes = [], []
    for contender in selection.contenders:
        stays = contender.info.reference and device.kind != "cpu"
        place = CPU if stays else device
        arm = Arm(contender.info.name, contender.mode, place, settings.dtype, settings.threads, contender.environment)
        reason = f"runs on cpu, the others on {device}" if stays else None
        if stays:
            notes.append(f"{contender.name} stays on the CPU and is not ranked against arms on {device}")
        lanes.append(Lane(contender, arm, reason))
    return tuple(lanes), tuple(notes)
