"""What a program says of itself, and what its process measures of it:
by this the fairness audit compares arms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class ProgramDescription:
    """Facts of one built program.

    The first eight are those of `Program.facts`; None where the program has none.

    device: really used, as the framework spells it
    layout: of weights, and of images or sequences
    compilations: programs compiled or traced so far
    more: whatever else the framework has to say, by name
    compiled_late: of the compilations, those since the last warm-up, whose seconds are
    in some visits
    placement: what became of the process's threads, by phase
    product_bits: to how many bits the process multiplies, as measured
    cpus: those that its threads may use
    answers: by phase, one number for its answer before its first visit, and one for the last
    """

    device: str | None = None
    dtype: str | None = None
    layout: str | None = None
    threads: int | None = None
    denormals: str | None = None
    donation: str | None = None
    autotune: str | None = None
    compilations: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)
    compiled_late: int = 0
    placement: Mapping[str, str] = field(default_factory=dict)
    product_bits: float | None = None
    cpus: str = ""
    answers: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        program_facts: Mapping[str, Any],
        compiled_late: int,
        placement: Mapping[str, str],
        product_bits: float,
        cpus: str,
        answers: Mapping[str, tuple[float, float]],
    ) -> "ProgramDescription":
        """From what `Program.facts` returns; `product_bits` and `cpus` are of the process."""
        own = {name: value for name, value in program_facts.items() if name in OF_PROGRAMS}
        more = {name: value for name, value in program_facts.items() if name not in OF_PROGRAMS}
        return cls(
            **own,
            more=more,
            compiled_late=compiled_late,
            placement=placement,
            product_bits=product_bits,
            cpus=cpus,
            answers=answers,
        )

    def to_json(self) -> dict[str, Any]:
        """As the store keeps them, one level deep: `more` stands beside the others."""
        first = {name: getattr(self, name) for name in OF_PROGRAMS}
        last = {
            "compiled_late": self.compiled_late,
            "placement": dict(self.placement),
            "product_bits": self.product_bits,
            "cpus": self.cpus,
            "answers": {phase: list(pair) for phase, pair in self.answers.items()},
        }
        return {**first, **self.more, **last}


OF_PROGRAMS = tuple(f.name for f in fields(ProgramDescription))[:8]
"""Names of the facts that `Program.facts` promises."""
