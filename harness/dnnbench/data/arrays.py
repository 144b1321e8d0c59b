"""What a reader hands on: arrays as they were stored, not yet fitted to a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..spec.data import Layout


@dataclass(frozen=True)
class RawArrays:
    """Examples by input name and their targets, any shape and number type,
    for training and for test.
    """

    where: str
    """Names the source in errors."""
    x_train: Mapping[str, np.ndarray]
    y_train: np.ndarray
    x_test: Mapping[str, np.ndarray]
    y_test: np.ndarray
    facts: Mapping[str, str] = field(default_factory=dict)
    """What identifies the source where it differs between machines: its version, its SHA-256."""
    layout: Layout | None = None
    """Where the channels of images stand, if the user or the file says so."""
