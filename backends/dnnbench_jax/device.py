"""Where JAX computes: CPUs (one, unless the process asked for more), GPUs, TPUs."""

from collections.abc import Callable
from pathlib import Path

import jax
from dnnbench.errors import PluginError
from dnnbench.protocol.device import KINDS, Device

POOL_THREAD = "tf_XLAEigen"
"""What XLA calls the threads that its CPU kernels run on."""


def devices() -> list[Device]:
    return [_described(kind, i, found) for kind in KINDS for i, found in enumerate(_found(kind)[0])]


def resolve(device: Device) -> jax.Device:
    """The framework's own name of a device; PluginError if it is not there."""
    found, reason = _found(device.kind)
    if device.index < len(found):
        return found[device.index]
    known = ", ".join(map(str, devices()))
    raise PluginError(f"JAX has no device '{device}'{reason}; there are {known}. Choose one of them with --device")


def computing() -> str:
    """Platform that the process was configured for: `cpu`, `gpu`, `tpu`."""
    chosen = jax.config.jax_default_device
    return chosen.platform if chosen else jax.default_backend()


def threads() -> int | None:
    """Threads of XLA's CPU pool, by their names; None where the system tells none."""
    return sum(_name(thread) == POOL_THREAD for thread in Path("/proc/self/task").glob("*")) or None


def peak_memory(device: jax.Device) -> int | None:
    """Most bytes held on the device since the process started; None on the CPU, where JAX does not count."""
    return (device.memory_stats() or {}).get("peak_bytes_in_use")


def seconds(device: jax.Device, work: Callable[[], None]) -> float | None:
    """By the device's own clock; None: JAX shows no marks on a device's stream."""
    return None


def _name(thread: Path) -> str:
    """Empty for a thread that has ended meanwhile."""
    try:
        return (thread / "comm").read_text().strip()
    except OSError:
        return ""


def _found(kind: str) -> tuple[list[jax.Device], str]:
    """(devices of a kind, why there are none)"""
    try:
        return jax.devices(kind), ""
    except RuntimeError as error:
        return [], f" ({error})"


def _described(kind: str, index: int, found: jax.Device) -> Device:
    return Device(kind, index, found.device_kind, (found.memory_stats() or {}).get("bytes_limit"))
