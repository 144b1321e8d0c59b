"""What a run will do, decided before anything starts: arms, cases, cells."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, product

import numpy as np

from ..protocol.arm import Arm
from ..protocol.device import CPU, Device
from ..protocol.dtypes import DType
from ..protocol.keys import CaseKey, CellKey
from ..spec.costs import phase_totals
from ..spec.phases import Phase
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from .backend_info import info_of
from .best_choice import Choice
from .settings import Settings

CONTROL = "control"
"""Name of the control arm and of its one phase."""


INITIAL = "initial"
"""Where the weights of a case come from unless a user names some."""
CONTROL_ARM = Arm(CONTROL, "eager", CPU, DType.FLOAT32, threads=1)
"""One thread: two would wait for each other, and tell of the machine's load twice over."""


@dataclass(frozen=True)
class Case:
    """A workload at one batch size, and the weights that inference is timed with."""

    workload: Workload
    batch_size: int
    weights: Mapping[str, np.ndarray] = field(repr=False, hash=False, compare=False)
    weights_origin: str = INITIAL
    environment: str = ""
    """The one whose arms compute it in place of another network of its name; empty for all."""
    variants: Mapping[str, "Case"] = field(
        default_factory=dict, repr=False, hash=False, compare=False
    )
    """What the arms of an environment compute in its place, by environment."""

    def of(self, arm: Arm) -> "Case":
        """The case as an arm computes it."""
        return self.variants.get(arm.environment, self)

    @property
    def data(self) -> str:
        """The name that its dataset has among those of a plan."""
        name = self.workload.name
        return f"{name}@{self.environment}" if self.environment else name

    @property
    def key(self) -> CaseKey:
        """What names it."""
        return CaseKey(self.workload.name, self.batch_size)

    @property
    def name(self) -> str:
        """As people read it, and by which workers hold its programs."""
        return str(self.key)


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know."""

    arms: tuple[Arm, ...]
    cases: tuple[Case, ...]
    settings: Settings
    base: str
    skipped: Mapping[str, str]
    notes: tuple[str, ...] = ()
    data_facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What identifies a workload's data where they differ between machines, by workload."""
    only: frozenset[tuple[CaseKey, Phase]] = frozenset()
    """Everything that is timed; empty for all of it."""
    unequal: Mapping[Arm, str] = field(default_factory=dict)
    """Why an arm may not be ranked against the others."""
    paired: bool = False
    """Whether the arms do not fit in memory together, so that each is measured
    with the base alone.
    """
    best: Mapping[str, Choice] = field(default_factory=dict)
    """Modes that were found to be the fastest, by the arm as it was written: `torch:best`."""

    def pools(self) -> tuple["Plan", ...]:
        """What one set of processes measures after the other:
        everything, or the base with each arm in turn.
        """
        others = [arm for arm in self.arms if arm.name != self.base]
        if not self.paired or len(others) < 2:
            return (self,)
        (base,) = (arm for arm in self.arms if arm.name == self.base)
        return tuple(replace(self, arms=(base, arm)) for arm in others)

    def phases(self, case: Case) -> tuple[Phase, ...]:
        """What is timed of a case; `infer` alone of a network for inference only."""
        wanted = [
            phase
            for phase in self.settings.phases
            if not self.only or (case.key, phase) in self.only
        ]
        return tuple(
            phase for phase in wanted if phase == Phase.INFER or not case.workload.inference_only
        )

    def cell_keys(self) -> tuple[CellKey, ...]:
        """Every cell, in the order of the plan."""
        return tuple(CellKey(arm, case.key, phase) for arm, case, phase in self._all_cells())

    def _all_cells(self) -> Iterator[tuple[Arm, Case, Phase]]:
        for case in self.cases:
            for phase, arm in product(self.phases(case), self.arms):
                yield arm, case, phase

    def phases_of(self, workload: str) -> tuple[Phase, ...]:
        """What is timed of a workload at any batch size."""
        cases = [case for case in self.cases if case.workload.name == workload]
        timed = set(chain.from_iterable(map(self.phases, cases)))
        return tuple(phase for phase in Phase if phase in timed)

    def limited_to(self, only: Collection[tuple[CaseKey, Phase]]) -> "Plan":
        """The same plan with nothing but these (case, phase)."""
        wanted = {key for key, _ in only}
        cases = tuple(case for case in self.cases if case.key in wanted)
        return replace(self, cases=cases, only=frozenset(only))

    def cells(self) -> list[dict[str, object]]:
        """A row for each arm, case and phase, and one for the control arm,
        as the store wants them.
        """
        rows = [self._cell(*cell) for cell in self._all_cells()]
        return [*rows, self._control_cell()]

    def _cell(self, arm: Arm, case: Case, phase: Phase) -> dict[str, object]:
        case = case.of(arm)
        itemsize = arm.precision.itemsize
        totals = phase_totals(case.workload, case.batch_size, phase, itemsize) or (None, None)
        return {
            **_identity(arm, arm.name),
            "workload": case.workload.name,
            "spec_hash": case.workload.spec_hash,
            "batch_size": case.batch_size,
            "phase": phase,
            "flops": totals[0],
            "bytes": totals[1],
            "unequal": self.unequal.get(arm),
            "rank_group": f"{case.name} {phase}",
        }

    def _control_cell(self) -> dict[str, object]:
        arm = CONTROL_ARM
        blank = {
            "workload": "",
            "spec_hash": "",
            "batch_size": 0,
            "phase": CONTROL,
            "rank_group": CONTROL,
        }
        return {
            **_identity(arm, CONTROL),
            **blank,
            "flops": None,
            "bytes": None,
            "unequal": "the control arm is a yardstick",
        }


def _identity(arm: Arm, name: str) -> dict[str, object]:
    key = arm.to_json()
    return {
        "arm": name,
        "arm_key": key,
        **{k: key[k] for k in ("backend", "mode", "device", "dtype", "threads", "environment")},
    }


def case_keys(workloads: Sequence[Workload], batch_sizes: Sequence[int]) -> list[CaseKey]:
    """Every workload at every batch size that was asked for, else at its own."""
    return [CaseKey(w.name, size) for w, size in sized(workloads, batch_sizes)]


def sized(workloads: Sequence[Workload], batch_sizes: Sequence[int]) -> list[tuple[Workload, int]]:
    """Every workload with each of the batch sizes, or with its own where none is asked for."""
    pairs: list[tuple[Workload, int]] = []
    for workload in workloads:
        pairs += [(workload, size) for size in batch_sizes or (workload.batch_size,)]
    return pairs


def cases_of(
    workloads: Sequence[Workload],
    batch_sizes: Sequence[int],
    weights: Mapping[str, np.ndarray] | None,
    origin: str,
    seed: int,
    networks: Mapping[str, Sequence[Workload]] | None = None,
) -> tuple[Case, ...]:
    """Every workload at every batch size asked for, else at its own.

    Initial weights unless some are given.
    networks: by environment, what its arms compute in place of the workload of the same name.
    """
    cases = []
    for workload, size in sized(workloads, batch_sizes):
        begun = initial_weights(workload.model, seed) if weights is None else weights
        variants = {
            environment: Case(
                other, size, initial_weights(other.model, seed), environment=environment
            )
            for environment, several in (networks or {}).items()
            for other in several
            if other.name == workload.name
        }
        cases.append(Case(workload, size, begun, origin, variants=variants))
    return tuple(cases)


def resolved(
    requested: Sequence[Arm], device_of: Mapping[Device, Device]
) -> tuple[tuple[Arm, ...], dict[Arm, str]]:
    """(arms on their devices, each once; why some are not ranked).

    device_of: what each device that was requested means.
    A backend that knows the CPU alone computes there all the same, and is not ranked unless the CPU
    was asked for too.
    """
    arms: dict[Arm, None] = {}
    unequal = {}
    elsewhere = CPU not in device_of.values()
    for one in requested:
        arm = one.on(device_of[one.device])
        if info_of(arm).cpu_only and arm.device.kind != CPU.kind:
            others = arm.device
            arm = arm.on(CPU)
            if elsewhere:
                unequal[arm] = f"runs on cpu, the others on {others}"
        arms.setdefault(arm)
    return tuple(arms), unequal
