"""Small networks, at least one for each op, loss and optimizer, where a wrong convention shows;
one family a file.
"""

from . import (
    activations,
    convolutions,
    dense,
    everything,
    extremes,
    norms,
    pools,
    sequences,
    shapes,
    training,
)
from .registry import CASES

__all__ = [
    "CASES",
    "activations",
    "convolutions",
    "dense",
    "everything",
    "extremes",
    "norms",
    "pools",
    "sequences",
    "shapes",
    "training",
]
