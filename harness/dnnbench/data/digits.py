"""1797 real grey images of digits, 8x8 pixels, which ship inside dnnbench."""

import numpy as np

from ..spec.data import Digits
from .arrays import RawArrays
from .shipped import shipped
from .split import stratified

BRIGHTEST = 16
EDGE = 8
BACKGROUND = 10
"""Label of a pixel without ink."""


def read_digits(data: Digits, input_name: str) -> RawArrays:
    """Pixels / 16 in [0, 1], and what `data.target` asks for; in a stratified split.

    images: (n, size + 2 margin, size + 2 margin, channels)
    targets: labels 0 to 9 (n,), images (n, size, size, channels), or labels 0 to 10 of pixels
    (n, size, size)
    Source: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits, test part.
    """
    pixels, labels = shipped("digits")
    test = stratified(labels, data.test_fraction, data.split_seed, "digits")
    images = _images(pixels, data)
    y = _targets(images, labels, data.target)
    margin = (data.margin, data.margin)
    x = np.pad(images, ((0, 0), margin, margin, (0, 0)))
    train = ~test
    return RawArrays("digits", {input_name: x[train]}, y[train], {input_name: x[test]}, y[test])


def _images(pixels: np.ndarray, data: Digits) -> np.ndarray:
    """(n, size, size, channels) from flat rows of pixels."""
    grey = (pixels / BRIGHTEST).astype(np.float32)
    small = grey.reshape(-1, EDGE, EDGE, 1)  # (n, 8, 8, 1)
    times = data.size // EDGE
    large = small.repeat(times, axis=1).repeat(times, axis=2)  # (n, size, size, 1)
    return large.repeat(data.channels, axis=3)


def _targets(images: np.ndarray, labels: np.ndarray, target: str) -> np.ndarray:
    match target:
        case "label":
            return labels
        case "image":
            return images
        case _:  # "pixels"
            with_ink = images[..., 0] > 0.5  # (n, H, W)
            return np.where(with_ink, labels[:, None, None], BACKGROUND)
