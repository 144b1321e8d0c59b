"""Where PyTorch computes."""

from collections.abc import Callable

import torch
from dnnbench.errors import PluginError
from dnnbench.protocol.device import CPU, Device


def devices() -> list[Device]:
    return [CPU, *map(_gpu, range(torch.cuda.device_count()))]


def _gpu(index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    return Device("gpu", index, properties.name, properties.total_memory)


def resolve(device: Device) -> torch.device:
    """The framework's own name of a device; PluginError if it is not there."""
    if device not in devices():
        available = ", ".join(map(str, devices()))
        raise PluginError(
            f"PyTorch has no device '{device}' here; it has {available}: choose one of them "
            "(a GPU needs its driver and a build of PyTorch for it)"
        )
    return torch.device("cpu") if device.kind == "cpu" else torch.device("cuda", device.index)


def threads() -> int:
    """Threads that one op runs on."""
    return torch.get_num_threads()


def peak_memory(device: Device) -> int | None:
    """Most bytes held on the device since `reset_peak`; None: PyTorch does not count on the CPU."""
    return torch.cuda.max_memory_allocated(device.index) if device.kind == "gpu" else None


def reset_peak(device: Device) -> None:
    if device.kind == "gpu":
        torch.cuda.reset_peak_memory_stats(device.index)


def generator(device: torch.device) -> torch.Generator:
    """The one that PyTorch's own random ops draw from on this device."""
    if device.type == "cpu":
        return torch.default_generator
    torch.cuda.init()
    return torch.cuda.default_generators[device.index]


def synchronize(device: torch.device) -> None:
    """Return when the device is done; on the CPU PyTorch has finished when it returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(device: Device, work: Callable[[], None]) -> float | None:
    """Between CUDA events recorded before and after `work`.

    None on the CPU, whose clock is the host's.
    """
    if device.kind != "gpu":
        return None
    stream = torch.cuda.current_stream(device.index)
    before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    before.record(stream)
    work()
    after.record(stream)
    after.synchronize()
    return before.elapsed_time(after) / 1000


def denormals(device: torch.device) -> str:
    """What becomes of numbers below the smallest normal one, by trial."""
    half = torch.full((), torch.finfo(torch.float32).tiny, device=device) / 2
    return "kept" if half.item() > 0 else "flushed to zero"
