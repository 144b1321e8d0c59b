"""Everything a user can ask of a run, with the defaults; stored with the run, so that it can be resumed."""

from dataclasses import asdict, dataclass, replace

from ..protocol.dtypes import DType
from ..protocol.timing import Timing
from ..spec.phases import PHASES, PIECES, Phase

QUICK_S = 8.0


@dataclass(frozen=True)
class Settings:
    """How a run measures; times in seconds, `precision` and `theta` as shares (0.01 = 1 %)."""

    phases: tuple[Phase, ...] = (*PHASES, *PIECES)
    dtype: DType = DType.FLOAT32
    threads: int = 1
    device: str = "auto"
    precision: float = 0.01
    theta: float = 0.02
    max_time_s: float = 60.0
    generations: int | None = 3
    """None for as many as this machine's noise asks for."""
    seed: int = 0
    memory: str = "steady"
    timing: Timing = Timing.LATENCY
    cold_start: bool = False
    allow_unequal: bool = False
    check: bool = True
    twin: bool = False

    def quick(self) -> "Settings":
        """One short generation: a first look, never a verdict."""
        return replace(self, generations=1, max_time_s=min(self.max_time_s, QUICK_S))

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict) -> "Settings":
        phases = tuple(Phase(phase) for phase in data["phases"])
        typed = {"phases": phases, "dtype": DType(data["dtype"]), "timing": Timing(data["timing"])}
        return cls(**(data | typed))
