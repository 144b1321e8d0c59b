"""Energy counters: RAPL's for the CPU's packages, NVML's for a GPU.

A machine without one gives no figure, never zero.

Sources: Linux's Documentation/power/powercap/powercap.rst;
NVML's nvmlDeviceGetTotalEnergyConsumption.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from ..protocol.device import Device

LEAST_S = 1.0
"""RAPL is renewed every millisecond, NVML's counter every 20 to 100:
shorter windows read steps of the counter.
"""


class Meter(ABC):
    """A counter of joules. Law: `joules_since(reading)` of a later reading is never negative."""

    source: str

    @abstractmethod
    def read(self) -> list[float]:
        """Joules since some zero, for each counter."""

    @abstractmethod
    def joules_since(self, before: list[float]) -> float:
        """Joules since a reading, all counters together."""


class Rapl(Meter):
    """Energy of all CPU packages: everything that runs there, this process and its neighbours."""

    source = "RAPL, all packages"

    def __init__(self, zones: list[Path]) -> None:
        self._zones = zones
        self._ranges = [_microjoules(zone / "max_energy_range_uj") for zone in zones]

    def read(self) -> list[float]:
        return [_microjoules(zone / "energy_uj") for zone in self._zones]

    def joules_since(self, before: list[float]) -> float:
        """The counters wrap around at their range, a few minutes of full load."""
        steps = zip(self.read(), before, self._ranges, strict=True)
        return sum(
            (now - then) if now >= then else (now - then + full) for now, then, full in steps
        )


class Nvml(Meter):
    """Energy of one NVIDIA GPU since its driver was loaded (Volta and later)."""

    source = "NVML, whole board"

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def read(self) -> list[float]:
        import pynvml

        return [pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) * 1e-3]

    def joules_since(self, before: list[float]) -> float:
        return self.read()[0] - before[0]


def meter(device: Device, root: Path = Path("/sys/class/powercap")) -> Meter | None:
    """The counter that covers a device, or None where there is none that may be read."""
    if device.kind == "cpu":
        zones = [zone for zone in sorted(root.glob("intel-rapl:*")) if _is_package(zone)]
        return Rapl(zones) if zones else None
    return _nvml(device.index) if device.kind == "gpu" else None


def _is_package(zone: Path) -> bool:
    """A whole package whose counter this user may read; its parts would be counted twice."""
    try:
        return (zone / "name").read_text().startswith("package") and _microjoules(
            zone / "energy_uj"
        ) >= 0
    except (OSError, ValueError):
        return False


def _microjoules(file: Path) -> float:
    return int(file.read_text()) * 1e-6


def _nvml(index: int) -> Nvml | None:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError:
        return None
    return Nvml(handle)
