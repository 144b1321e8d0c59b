"""Where a check starts: no scale is 1 and no bias 0 throughout, under which a forgotten scale and
a bias that is left out would not show. What is timed starts from `initial_weights`.
"""

import numpy as np

from ..spec.model import Model
from ..spec.weights import generator, initial_weights

AWAY = 0.3
"""A parameter that starts as one number starts within so much of it, times that number."""
AWAY_OF_ZERO = 0.1
"""Every other element within this where that number is 0; those between stay there,
so that ties at 0 are met too.
"""


def start_weights(model: Model, seed: int) -> dict[str, np.ndarray]:
    """Parameters and running statistics by name: initial ones, each constant spread about itself.

    Drawn by seed and name, as initial weights are. Learned tensors that start at 0 stay there:
    what is added to equal values leaves them equal, so that ties are met.
    """
    weights = initial_weights(model, seed)
    offsets = {constant.name for constant in model.constants}
    for name, parameter in {**model.parameters, **model.state}.items():
        stays = name in offsets and not np.any(weights[name])
        if parameter.initializer.kind != "uniform" and not stays:
            weights[name] = _spread(weights[name], generator(seed, f"start:{name}"))
    return weights


def _spread(constant: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """c (1 + AWAY t), or AWAY_OF_ZERO t for every other element, with t uniform in [-1, 1]."""
    t = draw.uniform(-1, 1, constant.shape).astype(np.float32)
    around = constant + np.float32(AWAY) * constant * t
    every_other = 1 - np.arange(constant.size, dtype=np.float32).reshape(constant.shape) % 2
    return np.where(constant == 0, np.float32(AWAY_OF_ZERO) * t * every_other, around)


def start_rms(model: Model, name: str) -> float:
    """Root mean square of a parameter at the start: uniform in [-b, b] has b / sqrt(3)."""
    start = model.parameters[name].initializer
    if start.kind == "uniform":
        return float(start.bound / 3**0.5)
    constant = 1.0 if start.kind == "ones" else abs(start.value)
    if constant:
        return float(constant * (1 + AWAY**2 / 3) ** 0.5)
    stays = any(name == offset.name for offset in model.constants)
    return 0.0 if stays else float(AWAY_OF_ZERO / 6**0.5)
