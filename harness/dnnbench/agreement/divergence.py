"""Where several training steps in a low precision no longer determine the network.

A deep network with batch norm amplifies a step's rounding in the next one. Once honest evaluations
stand as far from each other as from where they began, what a contender has there says nothing about
it: wherever it stands is honest too.
"""

import numpy as np

from ..spec.phases import Phase
from .allowances import BUDGET
from .deviation import rms
from .keys import Group, TensorKey
from .reference import Reference


def undetermined_trajectories(reference: Reference) -> dict[tuple[str, int], float]:
    """(optimizer, k), k above 1, -> how far apart honest evaluations lie, where that is too far.

    How far is rms(error of the changes of all weights) / rms(the changes), the error being the
    largest of an honest evaluation.
    """
    trajectories = dict.fromkeys(key.trajectory for key in _moved(reference) if key.step > 1)
    shares = {trajectory: _share(reference, trajectory) for trajectory in trajectories}
    # A NaN is too far as well, which `share > BUDGET.apart` would not say.
    return {trajectory: share for trajectory, share in shares.items() if not share <= BUDGET.apart}


def _moved(reference: Reference) -> list[TensorKey]:
    """Keys of what training steps make of the weights."""
    weights = [key for key in reference.tensors if key.group is Group.WEIGHTS]
    return [key for key in weights if key.phase is Phase.TRAIN_STEP]


def _share(reference: Reference, trajectory: tuple[str, int]) -> float:
    """sqrt(sum n error^2 / sum n rms(R)^2) over the weights of n elements."""
    keys = [key for key in _moved(reference) if key.trajectory == trajectory]
    sizes = np.array([reference.tensors[key].size for key in keys])
    moved = np.sum(sizes * np.square([rms(reference.tensors[key]) for key in keys]))
    strayed = np.sum(sizes * np.square([reference.strayed(key) for key in keys]))
    return float(np.sqrt(strayed / moved)) if moved else 0.0
