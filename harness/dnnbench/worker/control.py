"""The control arm: a fixed NumPy kernel that never changes, visited in every round as a yardstick
of the machine.
"""

import numpy as np

from ..host.clock import now

SIZE = 128
"""Side of the matrices: about 0.1 ms a product on one core, all in the second-level cache."""


class Control:
    """The same float32 matrix product, again and again."""

    def __init__(self) -> None:
        draw = np.random.Generator(np.random.Philox(0))
        self._a = draw.random((SIZE, SIZE), np.float32)
        self._b = draw.random((SIZE, SIZE), np.float32)
        self._out = np.empty_like(self._a)

    def visit(self, calls: int) -> float:
        """Seconds of `calls` products, after one untimed."""
        np.matmul(self._a, self._b, out=self._out)
        start = now()
        for _ in range(calls):
            np.matmul(self._a, self._b, out=self._out)
        return now() - start
