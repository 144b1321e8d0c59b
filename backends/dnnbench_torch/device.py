"""Where PyTorch computes, and how arrays lie there.

A tensor of images is kept as (N, C, H, W) in channels_last memory: the bytes of NHWC, so its permutation is free.
An `order` is the permutation of a canonical array's axes that gives the axes inside.
"""

import numpy as np
import torch
from dnnbench.errors import PluginError
from dnnbench.protocol.device import CPU, Device

Order = tuple[int, ...]


def devices() -> list[Device]:
    return [CPU, *map(_gpu, range(torch.cuda.device_count()))]


def _gpu(index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    return Device("gpu", index, properties.name, properties.total_memory)


def resolve(device: Device) -> torch.device:
    """The framework's own name of a device; PluginError if it is not there."""
    if not any(device.same_place(known) for known in devices()):
        known = ", ".join(map(str, devices()))
        raise PluginError(
            f"PyTorch has no device '{device}' here; it has {known}: choose one of them "
            "(a GPU needs its driver and a build of PyTorch for it)"
        )
    return torch.device("cpu") if device.kind == "cpu" else torch.device("cuda", device.index)


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


def tensor_order(shape: tuple[int, ...]) -> Order:
    """Order of a batched tensor; `shape` is one example's."""
    return (0, 3, 1, 2) if len(shape) == 3 else natural(len(shape) + 1)


def constant_order(shape: tuple[int, ...]) -> Order:
    """Order of a learned constant: that of the tensors it is added to, without the batch."""
    return (2, 0, 1) if len(shape) == 3 else natural(len(shape))


def parameter_order(kind: str, role: str, shape: tuple[int, ...]) -> Order:
    """Order in which an op wants a parameter: (out, in) for dense, (out, in, h, w) for a convolution."""
    transposed = {("dense", "weight"): (1, 0), ("conv2d", "weight"): (3, 2, 0, 1)}
    return transposed.get((kind, role), natural(len(shape)))


def natural(ndim: int) -> Order:
    """The order that changes nothing."""
    return tuple(range(ndim))


def inverse(order: Order) -> Order:
    """The order that undoes `order`."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def upload(array: np.ndarray, order: Order, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """A copy on the device: matrices in rows, images and kernels of convolutions in channels_last memory."""
    inside = torch.tensor(array, dtype=dtype, device=device).permute(order)
    if order == (3, 2, 0, 1):
        return inside.contiguous(memory_format=torch.channels_last)
    return inside.contiguous() if inside.ndim == 2 else inside


def download(tensor: torch.Tensor, order: Order | None = None) -> np.ndarray:
    """A copy as a NumPy array in canonical axes."""
    canonical = tensor.detach().permute(inverse(order)) if order else tensor.detach()
    return np.array(canonical.cpu().numpy(), order="C")
