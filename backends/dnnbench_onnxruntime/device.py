"""Where ONNX Runtime computes: the CPU."""

from collections.abc import Callable

from dnnbench.errors import PluginError
from dnnbench.protocol.device import CPU, Device


def devices() -> list[Device]:
    return [CPU]


def resolve(device: Device) -> str:
    """The framework's own name of a device; PluginError if it is not there."""
    if device != CPU:
        raise PluginError(
            f"dnnbench's ONNX Runtime has no device '{device}'; it computes on cpu: "
            "take --device cpu, or leave it out"
        )
    return "CPUExecutionProvider"


def peak_memory(device: Device) -> int | None:
    """Most bytes held on the device; None: ONNX Runtime does not count on the CPU."""
    return None


def seconds(device: Device, work: Callable[[], None]) -> float | None:
    """By the device's own clock; None: the CPU's is the host's."""
    return None
