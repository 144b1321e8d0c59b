"""Geometry that convolutions and pools share: windows, strides, padding."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt
from pydantic_core import PydanticCustomError

Ends = tuple[NonNegativeInt, NonNegativeInt]
Pads = tuple[Ends, Ends]
_Sizes = tuple[PositiveInt, PositiveInt]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def both(value: Any) -> Any:
    """One count as two: `kernel = 3` and `kernel = [3, 3]` are one network with one hash."""
    return (value, value) if _is_count(value) else value


def all_round(value: Any) -> Any:
    """One padding as that of both ends of both axes."""
    return (both(value), both(value)) if _is_count(value) else value


def _sizes(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    if not _is_count(value) or value == 0:
        raise PydanticCustomError("number_or_two", "expected a number above 0, or a list of two")
    return both(value)


Pair = Annotated[_Sizes, BeforeValidator(_sizes, json_schema_input_type=PositiveInt | _Sizes)]
"""Along H and along W; one number for both."""
Padding = Annotated[
    Literal["same", "valid"] | Pads,
    BeforeValidator(
        all_round, json_schema_input_type=Literal["same", "valid"] | NonNegativeInt | Pads
    ),
    Field(description="'same', 'valid', a number, or [[top, bottom], [left, right]]"),
]


def resolve_padding(
    padding: Literal["same", "valid"] | Sequence[Ends],
    size: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> tuple[Ends, ...]:
    """Explicit (lo, hi) per axis.

    same: total = max((ceil(H/s) - 1) s + (k - 1) d + 1 - H, 0), lo = total // 2,
    as TensorFlow and XLA do.
    """
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding != "same":
        return tuple(padding)
    totals = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        for n, k, s, d in zip(size, window, strides, dilation, strict=True)
    ]
    return tuple((t // 2, t - t // 2) for t in totals)


def windows_along(
    size: int, window: int, stride: int, pads: tuple[int, int], dilation: int = 1
) -> int:
    """How many windows fit: (H + lo + hi - (k - 1) d - 1) // s + 1."""
    span = (window - 1) * dilation + 1
    count = (size + sum(pads) - span) // stride + 1
    if count < 1:
        raise ValueError(
            f"a window spanning {span} does not fit into {size} + {sum(pads)} of padding; "
            "make the window smaller, pad more, or pool less before it"
        )
    return count
