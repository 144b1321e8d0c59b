"""What a side computes, and how far roundings of the first weights move it.

Deep networks of batch norms are chaotic where training starts: in `mobilenet_v2` one rounding of
every weight moves a training step's outputs by half their size. Two frameworks add in another
order, so their results may lie as far apart as such roundings bring them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from equal import rms

from .sides import ProgramSide, TwinSide

STEPS = 3
"""Training steps after which the weights are compared."""
ROUNDINGS = 8
"""Standard deviation of the relative error that every first weight is given, in roundings of its
type: that of honest sums of a few hundred terms.
"""
DRAWS = 3
"""A relu that chooses otherwise moves a network by a jump, which one draw may miss."""
TWICE = 2
"""Both sides round."""


@dataclass(frozen=True)
class Results:
    """What a side computes: results by phase, and its weights after `STEPS` steps."""

    tensors: Mapping[str, Mapping[str, np.ndarray]]
    weights: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Moved:
    """Of each of these arrays, the rms that roundings move it by."""

    tensors: Mapping[str, Mapping[str, float]]
    weights: Mapping[str, float]


NOT_MOVED = Moved({"infer": {}, "train_step": {}}, {})


def results_of(side: ProgramSide | TwinSide) -> Results:
    """From the first weights: inference, and `STEPS` training steps of which the first is read."""
    side.begin("infer")
    tensors = {"infer": called(side, "infer")}
    side.begin("train_step")
    tensors["train_step"] = called(side, "train_step")
    for _ in range(STEPS - 1):
        called(side, "train_step")
    return Results(tensors, side.weights())


def called(side: ProgramSide | TwinSide, phase: str) -> dict[str, np.ndarray]:
    """One call's arrays."""
    result = side.call(phase)
    side.wait(result)
    return side.read(phase, result)


def moved_by_rounding(side: ProgramSide, first: Mapping, ours: Results) -> Moved:
    """The furthest of `DRAWS` draws; the side starts from `first` again afterwards."""
    draw = np.random.default_rng(0)
    shaken = []
    for _ in range(DRAWS):
        side.start_from({name: _rounded(array, draw) for name, array in first.items()})
        shaken.append(results_of(side))
    side.start_from(first)
    tensors = {
        phase: _furthest(arrays, [one.tensors[phase] for one in shaken])
        for phase, arrays in ours.tensors.items()
    }
    return Moved(tensors, _furthest(ours.weights, [one.weights for one in shaken]))


def _rounded(array: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    error = ROUNDINGS * np.finfo(array.dtype).eps / 2 * draw.standard_normal(array.shape)
    return (array * (1 + error)).astype(array.dtype)


def _furthest(arrays: Mapping, others: list[Mapping]) -> dict[str, float]:
    return {
        name: max(rms(other[name].astype(float) - array.astype(float)) for other in others)
        for name, array in arrays.items()
    }
