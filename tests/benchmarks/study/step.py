"""The step of every arm: one small dense layer, repeated so many times; more repeats are real extra work."""

from collections.abc import Callable

import numpy as np

ROWS, WIDTH = 48, 128


def _operands() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.Generator(np.random.Philox(0))
    return draw.standard_normal((ROWS, WIDTH), np.float32), draw.standard_normal((WIDTH, WIDTH), np.float32)


def numpy_substep() -> Callable:
    """max(x @ w, 0) into a buffer that stays."""
    x, w = _operands()
    out = np.empty_like(x)

    def substep():
        np.matmul(x, w, out=out)
        return np.maximum(out, 0.0, out=out)

    return substep


def torch_substep() -> Callable:
    """The same, eager, on one thread, without gradients."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    x, w = (torch.from_numpy(array) for array in _operands())
    return lambda: torch.relu(x @ w)


def jax_substep() -> Callable:
    """The same, compiled; returns before it is done."""
    import jax

    x, w = (jax.device_put(array) for array in _operands())
    layer = jax.jit(lambda x, w: jax.nn.relu(x @ w))
    return lambda: layer(x, w)


SUBSTEPS = {"numpy": numpy_substep, "torch": torch_substep, "jax": jax_substep}


class Repeated:
    """All that a Bench asks of a Program, every phase of it the sub-step repeated."""

    def __init__(self, substep: Callable, repeats: int):
        self._substep, self._repeats = substep, repeats

    def infer(self, batch) -> list:
        """The results of all repeats."""
        return [self._substep() for _ in range(self._repeats)]

    forward = loss = gradients = train_step = infer

    def wait(self, results: list) -> None:
        """Until all are done: only JAX's results may not be."""
        for result in results:
            if hasattr(result, "block_until_ready"):
                result.block_until_ready()

    def put(self, batch) -> None:
        """No input: the operands are the sub-step's own."""

    def snapshot(self) -> None:
        """Nothing changes."""

    def restore(self, snapshot) -> None:
        """Nothing changed."""
