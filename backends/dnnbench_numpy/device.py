"""Where NumPy computes: the CPU."""

from collections.abc import Callable

from dnnbench.errors import PluginError
from dnnbench.protocol.device import CPU, Device
from threadpoolctl import threadpool_info


def devices() -> list[Device]:
    return [CPU]


def resolve(device: Device) -> None:
    """The framework's own name of a device; PluginError if it is not there."""
    if device != CPU:
        raise PluginError(f"NumPy has no device '{device}'; it computes on cpu")


def threads() -> int | None:
    """Threads that BLAS multiplies on; None where it does not tell."""
    return max((pool["num_threads"] for pool in threadpool_info()), default=None)


def peak_memory(device: Device) -> int | None:
    """Most bytes held on the device; None: NumPy does not count."""
    return None


def seconds(device: Device, work: Callable[[], None]) -> float | None:
    """By the device's own clock; None: the CPU's is the host's."""
    return None
