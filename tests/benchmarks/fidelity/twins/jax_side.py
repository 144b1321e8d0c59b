"""What twins in JAX have in common: a compiled inference, and a compiled step whose state is
carried on and donated.
"""

from abc import ABC, abstractmethod
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


class JaxSide(ABC):
    """A step takes and gives a state, of which an inference takes the first two parts.

    infer(weights, kept, inputs) -> (logits, classes)
    train(*state, inputs, labels) -> (state, (logits, loss))
    """

    def __init__(self, infer, train, first):
        self._infer = jax.jit(infer)
        self._train = jax.jit(train, donate_argnums=tuple(range(len(first))))
        self._copy = jax.jit(partial(jax.tree.map, jnp.copy))
        self._first = first
        self._carried = self._copy(first)

    def put(self, batch):
        """Ids and labels as int32."""
        return {n: jnp.array(a) for n, a in batch.inputs.items()}, jnp.array(batch.targets)

    def begin(self, phase):
        """The first weights again."""
        if phase == "train_step":
            self._carried = jax.block_until_ready(self._copy(self._first))

    def infer(self, placed):
        return self._infer(*self._carried[:2], placed[0])

    def train_step(self, placed):
        self._carried, result = self._train(*self._carried, *placed)
        return result

    def wait(self, result):
        """What a step gives is ready all at once."""
        jax.block_until_ready(result)

    def read(self, phase, result):
        """Arrays by what they are."""
        second = "prediction" if phase == "infer" else "loss"
        return {"outputs": np.array(result[0]), second: np.array(result[1])}

    @abstractmethod
    def weights(self):
        """By dnnbench's names, in its axes."""
