"""Where the axes of a tensor lie: images are (N, C, H, W), everything else as the spec has it."""

from dnnbench.spec.tensor import TensorType


def types(*inputs):
    """Types of tensors as the spec's shape rules want them."""
    return [TensorType(_example_shape(x)) for x in inputs]


def _example_shape(x):
    if x.ndim == 4:
        return (*x.shape[2:], x.shape[1])  # (H, W, C) of (N, C, H, W)
    return tuple(x.shape[1:])


def canonical(x):
    """(N, H, W, C), the order in memory; other tensors are as the spec has them."""
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def inside(y, ndim):
    """What `canonical` undoes, for a tensor of `ndim` axes."""
    return y.permute(0, 3, 1, 2) if ndim == 4 else y


def dim_of(ndim, axis):
    """Where an axis of an example lies."""
    axis %= ndim - 1
    return (2, 3, 1)[axis] if ndim == 4 else axis + 1


def beside(inputs):
    """All inputs but the first, with a learned constant's axes where the first one's are."""
    return [_stretched(x, inputs[0].ndim) for x in inputs[1:]]


def _stretched(constant, ndim):
    match ndim, constant.ndim:
        case 4, 1:
            return constant.view(-1, 1, 1)  # (C, 1, 1)
        case 4, 2:
            return constant.t().unsqueeze(1)  # (C, 1, W)
        case _, 3 if ndim > 4:
            return constant.permute(1, 2, 0)
    return constant
