"""Which phases an arm offers of a workload, and why not the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from ..spec.phases import Phase


@dataclass(frozen=True)
class Capabilities:
    """What a backend says of one workload on one arm before it builds anything.

        return Capabilities()                                     every phase
        return Capabilities.none("BLAS has no bfloat16")          nothing
        return Capabilities.inference_only("it has no gradients") `infer` alone
        return Capabilities({Phase.TRAIN_STEP: "it has no adam"}) all but some

    A reason is a sentence of yours that users read beside the arm's name, in place of a number.
    A piece that is neither missing here nor among `TrainingProgram.pieces` is told to be
    impossible alone.
    """

    missing: Mapping[Phase, str] = field(default_factory=dict)
    """The reason by phase, of those that are not offered."""

    def __post_init__(self) -> None:
        missing = {Phase(phase): reason for phase, reason in self.missing.items()}
        for phase, reason in missing.items():
            if not isinstance(reason, str) or not reason.strip():
                raise TypeError(
                    f"Capabilities: the reason for no {phase} is {reason!r}, "
                    "expected a sentence for users"
                )
        object.__setattr__(self, "missing", missing)

    @classmethod
    def none(cls, reason: str) -> Self:
        """Not one phase, all for the same reason."""
        return cls(dict.fromkeys(Phase, reason))

    @classmethod
    def inference_only(cls, reason: str) -> Self:
        """`infer` alone; `build` then gives an InferenceProgram."""
        return cls({phase: reason for phase in Phase if phase is not Phase.INFER})

    @property
    def offered(self) -> tuple[Phase, ...]:
        """Phases that can be asked for, in the order of Phase."""
        return tuple(phase for phase in Phase if phase not in self.missing)

    @property
    def trains(self) -> bool:
        """Whether any phase but `infer` is offered, so that `build` gives a TrainingProgram."""
        return any(phase is not Phase.INFER for phase in self.offered)

    @property
    def refusal(self) -> str | None:
        """Why nothing can be built; None where some phase is offered."""
        if self.offered:
            return None
        return "; ".join(dict.fromkeys(self.missing.values()))
