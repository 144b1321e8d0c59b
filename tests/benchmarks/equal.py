"""Whether two programs of one network compute the same: tensors by name, rms over rms."""

from collections.abc import Mapping

import numpy as np
from dnnbench.errors import DnnbenchError

ROUNDINGS = 64
"""By how many, rms over rms, honest sums of a few hundred terms in another order differ."""


MANY = 1_000
"""Elements of a tensor of which a single one says little."""


class Unequal(DnnbenchError):
    """The two sides do not compute the same."""


def require_equal(
    where: str,
    ours: Mapping[str, np.ndarray],
    theirs: Mapping[str, np.ndarray],
    most: float | None = None,
    way: Mapping[str, float] | None = None,
    moved: Mapping[str, float] | None = None,
    strays: int = 0,
) -> float:
    """The largest difference of a tensor, as a share of the `most` that it may have.

    most: of the tensor's rms, or of the rms that `way` has for it: how far training moved it;
    `honest` of our tensor's type unless it is given.
    moved: rms that each tensor may differ by besides, as roundings of the start move it.
    strays: how many elements of a tensor of `MANY` and more may lie anywhere.
    Unequal where names or shapes differ, and where a tensor lies further apart.
    """
    if ours.keys() != theirs.keys():
        apart = sorted(ours.keys() ^ theirs.keys())
        raise Unequal(f"{where}: only one side has {', '.join(apart)}")
    return max(
        (
            _share(
                where,
                name,
                (ours[name], theirs[name]),
                most,
                (way or {}).get(name),
                (moved or {}).get(name, 0),
                strays,
            )
            for name in ours
        ),
        default=0.0,
    )


def honest(dtype: np.dtype) -> float:
    """Most rms difference, over the tensor's own rms, that is rounding; integers as float32."""
    return ROUNDINGS * float(np.finfo(dtype if dtype.kind == "f" else np.float32).eps) / 2


def rms(array: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(array, dtype=float))))


def _share(where, name, sides, most, way, moved, strays) -> float:
    ours, theirs = sides
    if ours.shape != theirs.shape:
        raise Unequal(f"{where}: '{name}' is {ours.shape} on one side, {theirs.shape} on the other")
    apart = rms(_without_strays(ours.astype(float) - theirs.astype(float), strays))
    size = rms(theirs) if way is None else way
    allowed = (honest(ours.dtype) if most is None else most) * size + moved
    if not apart <= allowed:
        raise Unequal(
            f"{where}: '{name}' differs by {apart:.2g} (rms) of {size:.2g}: "
            "mathematics or start differ"
        )
    return apart / allowed if apart else 0.0


def _without_strays(differences: np.ndarray, strays: int) -> np.ndarray:
    """All but the largest, where there are many; one that is no number stays."""
    if not strays or differences.size < MANY or np.isnan(differences).any():
        return differences
    order = np.argpartition(np.abs(differences), -strays, axis=None)
    return differences.ravel()[order[:-strays]]
