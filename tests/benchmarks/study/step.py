"""The step of every arm: one small dense layer, or a network's pass, repeated so many times;
more repeats are real extra work.

Results go into one buffer, or feed the next layer. Where each repeat's stays in memory of its own,
2.4 MB a step, equal processes may differ by percents, and builds within one as much:
`blocks` says why.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .network import gradients_of

ROWS, WIDTH = 48, 128
PAGE = 4096
Step = Callable[[], object]


@dataclass(frozen=True)
class Recipe:
    """make: the step of so many repeats.
    libraries: whose versions count.
    start_s: to expect for starting a generation.
    """

    make: Callable[[int], Step]
    libraries: tuple[str, ...]
    start_s: float


def operands() -> tuple[np.ndarray, np.ndarray]:
    """Input and weights of the layer, always the same numbers."""
    draw = np.random.Generator(np.random.Philox(0))
    return draw.standard_normal((ROWS, WIDTH), np.float32), draw.standard_normal(
        (WIDTH, WIDTH), np.float32
    )


def numpy_step(repeats: int) -> Step:
    """max(x @ w, 0) into a buffer that stays, all where NumPy puts them:
    16, 32, 48 or 0 bytes into a cache line.
    """
    x, w = operands()
    return layer_of(x, w, np.empty_like(x), repeats)


def numpy_on_lines_step(repeats: int) -> Step:
    """The same, input, weights and buffer at the beginning of a line, as the other frameworks
    have theirs.
    """
    x, w = operands()
    return layer_of(*(placed(array) for array in (x, w, np.empty_like(x))), repeats)


def layer_of(x: np.ndarray, w: np.ndarray, out: np.ndarray, repeats: int) -> Step:
    """The layer on arrays that lie where they lie."""

    def substep():
        np.matmul(x, w, out=out)
        return np.maximum(out, 0.0, out=out)

    return lambda: [substep() for _ in range(repeats)]


def placed(array: np.ndarray, offset: int = 0) -> np.ndarray:
    """A copy that begins so many bytes after the beginning of a page."""
    room = np.empty(array.nbytes + 2 * PAGE, np.uint8)
    begin = -room.ctypes.data % PAGE + offset
    copy = room[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def torch_step(repeats: int) -> Step:
    """The same, eager, on one thread, without gradients."""
    torch, x, w = operands_in_torch()
    out = torch.empty_like(x)

    def substep():
        torch.mm(x, w, out=out)
        return torch.relu_(out)

    return lambda: [substep() for _ in range(repeats)]


def torch_fresh_step(repeats: int) -> Step:
    """The same, each repeat's result in memory of its own, alive until the step ends."""
    torch, x, w = operands_in_torch()
    return lambda: [torch.relu(x @ w) for _ in range(repeats)]


def torch_fresh_in_a_run_step(repeats: int) -> Step:
    """The same, in a process that has started as a run's worker starts:
    what came before decides which blocks lie free.
    """
    from dnnbench.execution.pool import start_request
    from dnnbench.protocol.arm import Arm
    from dnnbench.worker.server.arm import ArmServer

    ArmServer().start(start_request(Arm("torch", "eager")))
    return torch_fresh_step(repeats)


def jax_step(repeats: int) -> Step:
    """A loop over layers that feed the next one, compiled as one program."""
    import jax

    x, w = (jax.device_put(array) for array in operands())
    w *= (2 / WIDTH) ** 0.5  # keeps the size of the activations: He et al. 2015

    @jax.jit
    def layers(x):
        return jax.lax.fori_loop(0, repeats, lambda _, x: jax.nn.relu(x @ w), x)

    return lambda: layers(x)


STEPS = {
    "numpy": Recipe(numpy_step, ("numpy",), 1.0),
    "numpy_on_lines": Recipe(numpy_on_lines_step, ("numpy",), 1.0),
    "torch": Recipe(torch_step, ("numpy", "torch"), 8.0),
    "torch_fresh": Recipe(torch_fresh_step, ("numpy", "torch"), 8.0),
    "torch_fresh_in_a_run": Recipe(torch_fresh_in_a_run_step, ("numpy", "torch"), 8.0),
    "jax": Recipe(jax_step, ("numpy", "jax", "jaxlib"), 4.0),
    "torch_network": Recipe(gradients_of("torch"), ("numpy", "torch"), 17.0),
    "jax_network": Recipe(gradients_of("jax"), ("numpy", "jax", "jaxlib"), 11.0),
}


class Stepping:
    """All that a Bench asks of a Program, every phase of it the step."""

    def __init__(self, step: Step):
        self._step = step

    def infer(self, batch) -> object:
        """What the step returns."""
        return self._step()

    forward = loss = gradients = train_step = infer

    def wait(self, result: object) -> None:
        """Until it is done: only JAX's may not be."""
        if hasattr(result, "block_until_ready"):
            result.block_until_ready()

    def get(self, result: object) -> dict:
        """No answer that is held against another."""
        return {}

    def put(self, batch) -> None:
        """No input: the operands are the step's own."""

    def snapshot(self) -> None:
        """Nothing changes."""

    def restore(self, snapshot) -> None:
        """Nothing changed."""

    def facts(self) -> dict:
        """Nothing is compiled after the first call."""
        return {"compilations": 0}


def operands_in_torch() -> tuple:
    """(torch, x, w): new copies, on one thread, without gradients."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    return torch, *(torch.from_numpy(array).clone() for array in operands())
