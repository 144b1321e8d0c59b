"""Where several training steps in a low precision no longer determine the network.

A deep network with batch norm amplifies a step's rounding in the next one. Once honest evaluations stand as far from
each other as from where they began, what a contender has there says nothing about it: wherever it stands is honest too.
"""

import re

import numpy as np

from .allowances import BUDGET
from .reference import Reference, rms


def parted(reference: Reference) -> dict[str, float]:
    """`<optimizer>@<k>`, k above 1, -> how far honest evaluations have parted by then, where that is too far to tell.

    How far is rms(error of the changes of all weights) / rms(the changes), the error being sigma's.
    """
    shares = {name: _share(reference, name) for name in _trajectories(reference)}
    return {name: share for name, share in shares.items() if not share <= BUDGET.parted}  # so is NaN


def _trajectories(reference: Reference) -> set[str]:
    found = (re.match(r"(\w+@(\d+))/weights/", key) for key in reference.tensors)
    return {match[1] for match in found if match and int(match[2]) > 1}


def _share(reference: Reference, name: str) -> float:
    """sqrt(sum n sigma^2 / sum n rms(R)^2) over the weights of n elements."""
    keys = [key for key in reference.tensors if key.startswith(f"{name}/weights/")]
    sizes = np.array([reference.tensors[key].size for key in keys])
    moved = np.sum(sizes * np.square([rms(reference.tensors[key]) for key in keys]))
    strayed = np.sum(sizes * np.square([reference.sigma[key] for key in keys]))
    return float(np.sqrt(strayed / moved)) if moved else 0.0
