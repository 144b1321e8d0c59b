"""How arrays lie in PyTorch.

A tensor of images is kept as (N, C, H, W) in channels_last memory:
the bytes of NHWC, so its permutation is free.
"""

from typing import NamedTuple

import numpy as np
import torch

KERNELS = ((2, 1, 0), (3, 2, 0, 1))
"""Axes of the kernels of convolutions, (out, in, w) and (out, in, h, w), among the spec's
(h, w, in, out).
"""


class Layout(NamedTuple):
    """The blocks of a canonical array's last axis in another order, and then its axes
    in another order.

    An array without axes gets one: the steps that torch.compile 2.13 makes leave such a float64
    on the CPU unchanged.
    """

    axes: tuple[int, ...]
    blocks: tuple[int, ...] = ()
    """Which of the equal parts of the last axis comes first, second, ...; empty leaves them."""

    def inside(self, canonical):
        """A canonical tensor, or a stand-in for one, as PyTorch's ops want it."""
        if not self.axes:
            return canonical.reshape(1)
        laid = _reordered(canonical, self.blocks).permute(self.axes)
        return _channels_innermost(laid) if self.axes in KERNELS else laid

    def canonical(self, inside):
        """What `inside` was made of."""
        return (
            _reordered(inside.permute(_inverse(self.axes)), _inverse(self.blocks))
            if self.axes
            else inside.reshape(())
        )

    def in_memory_order(self, inside):
        """A view of `inside` whose axes lie in memory as they are named.

        PyTorch's fused SGD takes four times as long over kernels whose channels are innermost.
        """
        return inside.movedim(1, -1) if self.axes in KERNELS else inside

    def from_memory_order(self, ordered):
        """What `in_memory_order` was taken of."""
        return ordered.movedim(-1, 1) if self.axes in KERNELS else ordered


def _reordered(x, blocks):
    if not blocks:
        return x
    parts = x.chunk(len(blocks), -1)
    return torch.cat([parts[i] for i in blocks], -1)


def _channels_innermost(kernel):
    """A copy with channels innermost, whose axes of size 1 have the strides of that order too.

    `contiguous` would leave those strides as they fell, and a convolution to one filter
    in float64 reads them.
    """
    return kernel.movedim(1, -1).clone(memory_format=torch.contiguous_format).movedim(-1, 1)


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def natural(ndim: int) -> Layout:
    """The layout that changes nothing."""
    return Layout(tuple(range(ndim)))


def tensor_layout(type) -> Layout:
    """Layout of a tensor.

    Ids and masks stay as they are, a learned constant lies as the tensors it meets.
    """
    if type.kind != "float" or len(type.shape) != 3:
        return natural(len(type.shape) + type.batched)
    axes = (0, 3, 1, 2) if type.batched else (2, 0, 1)
    return Layout(axes)


def parameter_layout(op, role: str, shape: tuple[int, ...]) -> Layout:
    """Layout in which an op wants a parameter: (out, in), (out, in, h, w),
    and a GRU's gates as r, z, n.
    """
    gates = (1, 0, 2) if op.kind == "gru" and role != "hidden_bias" else ()
    match op.kind, role:
        case "dense", "weight" if op.transposed:
            return natural(2)
        case (("dense" | "lstm" | "gru"), ("weight" | "recurrent")):
            return Layout((1, 0), gates)
        case "conv1d", "weight":
            return Layout((2, 1, 0))
        case (("conv2d" | "conv_transpose2d"), "weight"):
            return Layout((3, 2, 0, 1))
    return Layout(natural(len(shape)).axes, gates)


def upload(
    array: np.ndarray, layout: Layout, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """A copy on the device: matrices in rows, images and kernels with their channels innermost."""
    inside = layout.inside(torch.tensor(array, dtype=dtype, device=device))
    return inside.clone(memory_format=torch.contiguous_format) if layout.axes == (1, 0) else inside


def download(tensor: torch.Tensor, layout: Layout | None = None) -> np.ndarray:
    """A copy as a NumPy array in canonical axes; float32 for the types that are half as wide."""
    canonical = layout.canonical(tensor.detach()) if layout else tensor.detach()
    if canonical.dtype in (torch.bfloat16, torch.float16):
        canonical = canonical.float()
    return np.array(canonical.cpu().numpy(), order="C")


def laid_like(p: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The gradient in p's own memory layout: PyTorch's fused steps walk both in the order
    of memory, unchecked.
    """
    return gradient if gradient.stride() == p.stride() else torch.empty_like(p).copy_(gradient)
