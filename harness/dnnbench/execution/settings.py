"""Everything a user can ask of a run, with the defaults.

Stored with the run, so that it can be resumed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..protocol.device import AUTO, Device, requested_device
from ..protocol.dtypes import DType
from ..protocol.timing import Timing
from ..spec.phases import PURPOSES, Phase
from ..stats.dead_zone import THETA
from .stored_settings import in_lists

QUICK_S = 8.0
MOST_SINGLE_CALLS = 1_000_000
STORE = "results/dnnbench.sqlite"
"""Where results are kept unless another place is named, from the folder that dnnbench works in."""


def all_cpus() -> int:
    """One thread for each CPU that this process may use."""
    from ..host.affinity import current_mask

    return len(current_mask())


def allocator() -> str:
    """The setting of an allocator that this machine's C library has."""
    from ..worker.environment import default_memory

    return default_memory()


@dataclass(frozen=True)
class Settings:
    """How a run measures; times in seconds, `precision` and `theta` as shares (0.01 = 1 %).

    The one place of every default: the command line fills it, and shows what it has here.
    """

    phases: tuple[Phase, ...] = tuple(Phase)
    dtypes: tuple[DType, ...] = (DType.FLOAT32,)
    threads: tuple[int, ...] = field(default_factory=lambda: (all_cpus(),))
    devices: tuple[Device, ...] = (AUTO,)
    """Of dtypes, threads and devices each combination is an arm of its own, of every backend."""
    precision: float = 0.01
    theta: float = THETA
    max_time_s: float = 60.0
    generations: int | None = 3
    """None for as many as this machine's noise asks for."""
    seed: int = 0
    memory: str = field(default_factory=allocator)
    timing: Timing = Timing.LATENCY
    cold_start: bool = False
    allow_unequal: bool = False
    check: bool = True
    twin: bool = False
    single_calls: int = 0
    """Calls of every training step and inference that are timed one by one, after the rounds of
    each generation; 0: none.
    """

    profile: bool = False
    """Whether the frameworks' own tools look into calls, after the visits of the first generation.
    """

    figures: bool = False
    """Whether calls are counted (operators, FLOPs, graph breaks, ...) after the visits of the first
    six generations.
    """

    def quick(self) -> "Settings":
        """One short generation: a first look, never a verdict."""
        return replace(self, generations=1, max_time_s=min(self.max_time_s, QUICK_S))

    def to_json(self) -> dict[str, Any]:
        """Plain data for a store; `stored_settings` reads it."""
        return asdict(self) | {"devices": [str(device) for device in self.devices]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Settings":
        """The settings that a run was stored with.

        What it was not stored with is as it is by default.
        """
        typed = in_lists(data)
        if "dtypes" in typed:
            typed["dtypes"] = tuple(map(DType, typed["dtypes"]))
        if "threads" in typed:
            typed["threads"] = tuple(typed["threads"])
        if "devices" in typed:
            typed["devices"] = tuple(map(requested_device, typed["devices"]))
        if "timing" in typed:
            typed["timing"] = Timing(typed["timing"])
        if "phases" in typed:
            typed["phases"] = tuple(map(Phase, typed["phases"]))
        return cls(**typed)


GATE_PHASES = tuple(sorted(PURPOSES))
"""What a gate times unless it is asked for more: inference and the training step."""


def gate_settings(theta: float = THETA, **chosen: Any) -> Settings:
    """Of a gate: as many generations as the noise asks for, intervals half as wide as what it
    must not miss, and figures of every call.
    """
    defaults = {
        "phases": GATE_PHASES,
        "generations": None,
        "theta": theta,
        "precision": theta / 2,
        "figures": True,
    }
    options: dict[str, Any] = defaults | chosen
    return Settings(**options)
