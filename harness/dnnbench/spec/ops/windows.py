"""Geometry that convolutions and pools share: windows, strides, padding."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

Pair = tuple[PositiveInt, PositiveInt]
Ends = tuple[NonNegativeInt, NonNegativeInt]
Pads = tuple[Ends, Ends]
Padding = Annotated[
    Literal["same", "valid"] | Pads,
    Field(description="'same', 'valid', or [[top, bottom], [left, right]]"),
]


def resolve_padding(
    padding: Literal["same", "valid"] | Sequence[Ends],
    size: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> tuple[Ends, ...]:
    """Explicit (lo, hi) per axis.

    same: total = max((ceil(H/s) - 1) s + (k - 1) d + 1 - H, 0), lo = total // 2, as TensorFlow and XLA do.
    """
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding != "same":
        return padding
    totals = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        for n, k, s, d in zip(size, window, strides, dilation, strict=True)
    ]
    return tuple((t // 2, t - t // 2) for t in totals)


def windows_along(size: int, window: int, stride: int, pads: tuple[int, int], dilation: int = 1) -> int:
    """How many windows fit: (H + lo + hi - (k - 1) d - 1) // s + 1."""
    span = (window - 1) * dilation + 1
    count = (size + sum(pads) - span) // stride + 1
    if count < 1:
        raise ValueError(
            f"a window spanning {span} does not fit into {size} + {sum(pads)} of padding; "
            "make the window smaller, pad more, or pool less before it"
        )
    return count
