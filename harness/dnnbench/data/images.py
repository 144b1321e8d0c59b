"""Where the channels of stored images stand: the network reads (n, H, W, C),
and files hold other orders too.
"""

import numpy as np

from ..errors import DataError
from ..spec.data import Layout
from ..spec.tensor import TensorType


def channels_last(
    array: np.ndarray, wanted: TensorType, layout: Layout | None, where: str
) -> np.ndarray:
    """Images of several channels as (n, H, W, C), or flat in that order.

    Whatever else the network reads as it is.

    DataError for flat rows without a layout, which fit two orders, and for images in another order
    than `layout`.
    """
    if array.ndim < 2 or not _has_channels(wanted):
        return array
    height, width, channels = wanted.shape
    first = (channels, height, width)
    flat = array.shape[1:] == (wanted.size,)
    if flat and layout is None:
        raise DataError(f"{where}: {_which_order(wanted)}")
    if layout == "channels_first" and (flat or array.shape[1:] == first):
        return np.moveaxis(array.reshape(len(array), *first), 1, -1)
    # A cube such as (3, 3, 3) looks the same in both orders, and is taken as it was promised.
    in_other_order = array.shape[1:] == first and first != wanted.shape
    if layout == "channels_first" or in_other_order:
        expected = first if layout == "channels_first" else wanted.shape
        raise DataError(
            f"{where}: got shape {array.shape}, expected (n, {', '.join(map(str, expected))}); "
            "reshape or transpose it, or give the data the layout that it has: "
            "channels_last or channels_first"
        )
    return array


def _has_channels(wanted: TensorType) -> bool:
    """Whether an example is an image whose pixels and channels could be mixed up."""
    return len(wanted.shape) == 3 and 1 < wanted.shape[2] < wanted.size


def _which_order(wanted: TensorType) -> str:
    height, width, channels = wanted.shape
    return (
        f"got flat rows of {wanted.size} for {height} x {width} pixels of {channels} channels, "
        "which can be channels_first (CIFAR's rows) or channels_last; "
        f"give the data a layout, or save them as (n, {height}, {width}, {channels}): "
        f"x.reshape(-1, {channels}, {height}, {width}).transpose(0, 2, 3, 1) of channels_first, "
        f"x.reshape(-1, {height}, {width}, {channels}) of channels_last"
    )
