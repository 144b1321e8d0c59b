"""What NVML tells of the NVIDIA GPUs: clocks, power, why they run slower than they could,
who else is on them.

Bits of the reasons: NVML API Reference, nvmlClocksEventReasons.
A GPU that does not tell a thing gives None for it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

REASONS = {
    0x1: "idle",
    0x2: "clocks set by an application",
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "heat (software)",
    0x40: "heat (hardware)",
    0x80: "power brake",
    0x100: "display clock",
}
SLOWED = 0x4 | 0x8 | 0x20 | 0x40 | 0x80
"""Reasons that hold a busy GPU below the clock it would choose."""
DISTURBED = SLOWED & ~0x4
"""Those that are not the power cap, which a GPU at work is at as a rule."""


def gpus() -> list[dict[str, Any]]:
    """One dict for each NVIDIA GPU; empty without a GPU, its driver or the nvidia-ml-py package."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except (ImportError, OSError):
        return []
    except pynvml.NVMLError:
        return []
    try:
        indices = range(pynvml.nvmlDeviceGetCount())
        return [_gpu(pynvml, pynvml.nvmlDeviceGetHandleByIndex(i)) for i in indices]
    except pynvml.NVMLError:  # a GPU that fell off the bus answers to nothing
        return []
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: Any, handle: Any) -> dict[str, Any]:
    def ask(question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(handle, *arguments)
        except nvml.NVMLError:
            return None

    memory = ask(nvml.nvmlDeviceGetMemoryInfo)
    running = ask(nvml.nvmlDeviceGetComputeRunningProcesses)
    return {
        "name": ask(nvml.nvmlDeviceGetName),
        "driver": nvml.nvmlSystemGetDriverVersion(),
        "memory_bytes": memory and memory.total,
        "power_limit_mw": ask(nvml.nvmlDeviceGetPowerManagementLimit),
        "power_limit_default_mw": ask(nvml.nvmlDeviceGetPowerManagementDefaultLimit),
        "sm_clock_mhz": ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_SM),
        "sm_clock_max_mhz": ask(nvml.nvmlDeviceGetMaxClockInfo, nvml.NVML_CLOCK_SM),
        "throttle_reasons": ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons),
        "processes": None if running is None else len(running),
    }


@dataclass(frozen=True)
class GpuState:
    """A GPU at one moment: NVML's reasons, and processes beside ours that used it of late.

    None where it does not tell.
    """

    reasons: int | None
    others: int | None

    @property
    def slowed(self) -> bool:
        """Whether heat, a hardware slowdown or a power brake holds it back."""
        return bool((self.reasons or 0) & DISTURBED)


class GpuWatch:
    """Watches one GPU through NVML; `ours` gives the ids of the processes that may use it."""

    def __init__(self, nvml: Any, handle: Any, ours: Callable[[], Collection[int]]) -> None:
        self._nvml, self._handle, self._ours = nvml, handle, ours
        self._since_us = 0

    def read(self) -> GpuState:
        """Its state now.

        Others are those that used its multiprocessors since the reading before.
        """
        return GpuState(
            self._ask(self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons), self._others()
        )

    def _others(self) -> int | None:
        """None where our own processes are not listed: NVML then counts in another namespace,
        and all look foreign.
        """
        running = self._ask(self._nvml.nvmlDeviceGetComputeRunningProcesses)
        ours = set(self._ours())
        if running is None or not ours & {process.pid for process in running}:
            return None
        try:
            used = self._nvml.nvmlDeviceGetProcessUtilization(self._handle, self._since_us)
        except self._nvml.NVMLError_NotFound:
            return 0  # no sample since
        except self._nvml.NVMLError:
            return None
        self._since_us = max((sample.timeStamp for sample in used), default=self._since_us)
        return len({sample.pid for sample in used if sample.smUtil} - ours)

    def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(self._handle, *arguments)
        except self._nvml.NVMLError:
            return None


def watch(index: int, ours: Callable[[], Collection[int]]) -> GpuWatch | None:
    """A watch of the GPU with that number; None where NVML cannot be asked."""
    try:
        import pynvml

        pynvml.nvmlInit()
        return GpuWatch(pynvml, pynvml.nvmlDeviceGetHandleByIndex(index), ours)
    except (ImportError, OSError):
        return None
    except pynvml.NVMLError:
        return None


def spell_reasons(bits: int) -> str:
    """The names of NVML's reasons in `bits`; `none` for none."""
    names = [name for bit, name in REASONS.items() if bits & bit]
    rest = bits & ~sum(REASONS)
    if rest:
        names.append(f"{rest:#x}")
    return ", ".join(names) or "none"
