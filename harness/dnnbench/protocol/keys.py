"""What names a case, a program and a cell of a run: values, whose text is for people alone."""

from dataclasses import dataclass

from ..spec.phases import Phase
from .arm import Arm


@dataclass(frozen=True)
class CaseKey:
    """A workload at one batch size."""

    workload: str
    batch_size: int

    def __str__(self) -> str:
        return f"{self.workload}/{self.batch_size}"


@dataclass(frozen=True)
class ProgramKey:
    """A case built by an arm."""

    arm: Arm
    case: CaseKey

    def __str__(self) -> str:
        return f"{self.arm.name} {self.case}"


@dataclass(frozen=True)
class CellKey:
    """A phase of a case on an arm: what one time belongs to."""

    arm: Arm
    case: CaseKey
    phase: Phase

    @property
    def program(self) -> ProgramKey:
        """The program that the phase is called of."""
        return ProgramKey(self.arm, self.case)

    def __str__(self) -> str:
        return f"{self.program} {self.phase}"
