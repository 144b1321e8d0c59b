"""Was this window of time ours alone? Answered by the kernel's counters,
never by how long a sample took.

- 1, steal: the CPUs' stolen time in /proc/stat rose by 1 % of the window. It moves in ticks of 10
  ms: any tick flags a window of up to 1 s; a longer one may hold a few, which its median survives.
- 2, pressure: "some" of /proc/pressure/cpu rose by half the window: tasks waited for a CPU.
  A run alone on two cores makes 8-24 % itself with one thread and up to 37 % with two
  (frameworks' threads wait for each other); with foreign processes on both cores it was 89-104 %.
- 4, throttled: throttled time in the control group's cpu.stat rose at all:
  a quota stops every thread for tens of milliseconds.

- 16, switched: the workers lost their CPU, unasked, more than 100 times a second. Recorded,
  and drops no round: on two cores under a load of 9 one busy thread lost it 70 times a second
  (nine windows of ten: under 111), the workers of NumPy, torch and JAX in one run 290-2,000 times.
  In a quiet hour, on one CPU, it fired in under 1 % of NumPy's and torch's rounds and in over 99 %
  of JAX's, whose own threads take turns (docs/proof.md): it must not drop rounds.
- 32, GPU slowed: NVML named heat, a hardware slowdown or a power brake when the window
  began or ended. The power cap is not among them: a GPU at work is at its cap as a rule,
  and all arms meet it alike.
- 64, GPU shared: a process that is not a worker used the GPU's multiprocessors since
  the window before.
- 128, paused: somebody stopped a worker (the kernel tells its parent, however short it was),
  the parent did not run for a quarter of a second while it waited for an answer,
  or the machine slept (its clock that counts sleep ran ahead of the other).
  A stopped worker's step takes as long as it was stopped, and every pause cools the caches.
- 256, waited: of one visit, not of its round:
  a thread of the worker waited for a CPU for a tenth of it. Recorded, and drops no round:
  where a library has more threads than CPUs they wait for each other, in any process.

A counter that the system lacks is None, listed by `absent`, and flags nothing.
"""

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from pathlib import Path

from ..stats.flags import GPU_SHARED, GPU_SLOWED, PAUSED, PRESSURE, STEAL, SWITCHED, THROTTLED
from .clock import PAUSE_S, now
from .gpus import GpuState, GpuWatch

STEAL_SHARE = 0.01
PRESSURE_SHARE = 0.5
WAITED_SHARE = 0.1
SWITCHES_PER_S = 100.0
STEAL_FIELD = 8


@dataclass(frozen=True)
class Counters:
    """Counters at one moment, in seconds since some zero unless said.

    None where the system has none, or where it was not asked.

    switches: involuntary context switches of the workers, a number.
    gpu: what NVML tells at this moment.
    pauses: how often the workers and their parent were stopped, a number.
    asleep_s: how long the machine slept.
    """

    at_s: float
    steal_s: float | None
    pressure_s: float | None
    throttled_s: float | None
    switches: int | None = None
    gpu: GpuState | None = None
    pauses: int | None = None
    asleep_s: float | None = 0.0

    @property
    def absent(self) -> list[str]:
        """The kernel's counters that this system does not have."""
        return [
            f.name for f in fields(self) if f.name.endswith("_s") and getattr(self, f.name) is None
        ]


class Sampler:
    """Reads the counters of some CPUs; costs about 0.1 ms a reading, outside the clock.

    cpus: those the workers are confined to; steal elsewhere harms no sample.
    root: where /proc and /sys are.
    switches: asks the workers how often they lost their CPU.
    gpu: watches the GPU that they compute on.
    pauses: asks how often workers and parent were stopped.
    """

    def __init__(
        self,
        cpus: Collection[int],
        root: Path = Path("/"),
        switches: Callable[[], int | None] | None = None,
        gpu: GpuWatch | None = None,
        pauses: Callable[[], int] | None = None,
    ) -> None:
        self._names = {f"cpu{cpu}" for cpu in cpus}
        self._proc = root / "proc"
        self._throttle = _throttle_file(root)
        self._tick_s = 1 / os.sysconf("SC_CLK_TCK")
        self._switches, self._gpu, self._pauses = switches, gpu, pauses

    def read(self) -> Counters:
        """All counters now."""
        at_s = now()
        steal_s, pressure_s = self._steal_s(), self._pressure_s()
        throttled_s = self._throttled_s()
        switches = self._switches() if self._switches else None
        gpu = self._gpu.read() if self._gpu else None
        pauses = self._pauses() if self._pauses else None
        asleep_s = _asleep_s()
        return Counters(at_s, steal_s, pressure_s, throttled_s, switches, gpu, pauses, asleep_s)

    def _steal_s(self) -> float | None:
        ticks = []
        for line in _text(self._proc / "stat").splitlines():
            row = line.split()
            if len(row) > STEAL_FIELD and row[0] in self._names:
                ticks.append(int(row[STEAL_FIELD]))
        return sum(ticks) * self._tick_s if ticks else None

    def _pressure_s(self) -> float | None:
        for line in _text(self._proc / "pressure" / "cpu").splitlines():
            if line.startswith("some "):
                return int(line.rpartition("total=")[2]) * 1e-6
        return None

    def _throttled_s(self) -> float | None:
        lines = _text(self._throttle).splitlines()
        stat = dict(line.split(maxsplit=1) for line in lines if " " in line)
        if "throttled_usec" in stat:  # version 2 of control groups
            return int(stat["throttled_usec"]) * 1e-6
        if "throttled_time" in stat:  # version 1
            return int(stat["throttled_time"]) * 1e-9
        return None


def flags(before: Counters, after: Counters) -> int:
    """The flag bits of the window between two readings."""
    window_s = after.at_s - before.at_s
    return (
        STEAL * _rose(before.steal_s, after.steal_s, STEAL_SHARE * window_s)
        | PRESSURE * _rose(before.pressure_s, after.pressure_s, PRESSURE_SHARE * window_s)
        | THROTTLED * _rose(before.throttled_s, after.throttled_s, 0.0)
        | SWITCHED * _rose(before.switches, after.switches, SWITCHES_PER_S * window_s)
        | GPU_SLOWED * any(state.gpu is not None and state.gpu.slowed for state in (before, after))
        | GPU_SHARED * (after.gpu is not None and bool(after.gpu.others))
        | PAUSED
        * (_rose(before.pauses, after.pauses, 1) or _rose(before.asleep_s, after.asleep_s, PAUSE_S))
    )


def _asleep_s() -> float | None:
    """Seconds that the machine slept since it started.

    None where only Linux's clocks would tell.
    """
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def switches_per_s(before: Counters, after: Counters) -> float | None:
    """Involuntary context switches of the workers per second of the window.

    None where the system does not count them.
    """
    if before.switches is None or after.switches is None or after.at_s <= before.at_s:
        return None
    return max(after.switches - before.switches, 0) / (after.at_s - before.at_s)


def _rose(before: float | None, after: float | None, least: float) -> bool:
    if before is None or after is None:
        return False
    return after > before and after - before >= least


def _text(path: Path | None) -> str:
    try:
        return path.read_text() if path else ""
    except OSError:
        return ""


def _throttle_file(root: Path) -> Path | None:
    """This process's cpu.stat: in version 2 of control groups, or version 1's cpu controller."""
    groups = [line.split(":", 2) for line in _text(root / "proc/self/cgroup").splitlines()]
    mounts = root / "sys/fs/cgroup"
    version_1, version_2 = [], []
    for number, names, path in groups:
        inside = path.lstrip("/")
        if "cpu" in names.split(","):
            version_1.append(mounts / "cpu" / inside)
        elif number == "0" and not names:
            version_2.append(mounts / inside)
    for folder in (*version_1, *version_2, mounts / "cpu", mounts):
        if "throttled" in _text(folder / "cpu.stat"):
            return folder / "cpu.stat"
    return None
