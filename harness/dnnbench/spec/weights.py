"""The numbers every backend starts from."""

import hashlib

import numpy as np

from .model import Model
from .tensor import Parameter


def generator(seed: int, name: str) -> np.random.Generator:
    """Philox keyed by seed and name: the same draw on every machine, whatever else is drawn."""
    key = hashlib.sha256(f"{seed}:{name}".encode()).digest()[:16]
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))


def initial_weights(model: Model, seed: int) -> dict[str, np.ndarray]:
    """Parameters and state by name, float32, canonical layouts."""
    arrays = {**model.parameters, **model.state}
    return {name: _draw(parameter, seed, name) for name, parameter in arrays.items()}


def _draw(parameter: Parameter, seed: int, name: str) -> np.ndarray:
    shape, start = parameter
    if start.kind == "uniform":
        return generator(seed, name).uniform(-start.bound, start.bound, shape).astype(np.float32)
    value = {"zeros": 0.0, "ones": 1.0, "constant": start.value}[start.kind]
    return np.full(shape, value, np.float32)
