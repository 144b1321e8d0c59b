"""Where JAX computes: CPUs (one, unless the process asked for more), GPUs, TPUs."""

from collections.abc import Callable
from pathlib import Path

import jax
from dnnbench.errors import PluginError
from dnnbench.protocol.device import KINDS, Device

POOL_THREAD = "tf_XLAEigen"
"""What XLA calls the threads that its CPU kernels run on."""


def devices() -> list[Device]:
    described = []
    for kind in KINDS:
        of_kind, _ = _of_kind(kind)
        described += [_described(kind, i, device) for i, device in enumerate(of_kind)]
    return described


def resolve(device: Device) -> jax.Device:
    """The framework's own name of a device; PluginError if it is not there."""
    of_kind, reason = _of_kind(device.kind)
    if device.index < len(of_kind):
        return of_kind[device.index]
    available = ", ".join(map(str, devices()))
    raise PluginError(
        f"JAX has no device '{device}'{reason}; there are {available}. "
        "Choose one of them with --device"
    )


def computing() -> str:
    """Platform that the process was configured for: `cpu`, `gpu`, `tpu`."""
    chosen = jax.config.jax_default_device
    return chosen.platform if chosen else jax.default_backend()


def threads() -> int | None:
    """Threads of XLA's CPU pool, by their names; None where the system tells none."""
    names = [_name(thread) for thread in Path("/proc/self/task").glob("*")]
    return names.count(POOL_THREAD) or None


def peak_memory(device: jax.Device) -> int | None:
    """Most bytes held on the device since the process started.

    None on the CPU, where JAX does not count.
    """
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


def _of_kind(kind: str) -> tuple[list[jax.Device], str]:
    """(devices of a kind, why there are none)"""
    try:
        return jax.devices(kind), ""
    except RuntimeError as error:
        return [], f" ({error})"


def _described(kind: str, index: int, device: jax.Device) -> Device:
    memory = device.memory_stats() or {}
    return Device(kind, index, device.device_kind, memory.get("bytes_limit"))
