"""What one step reads, as the core makes it: NumPy arrays in canonical layouts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Batch:
    """N examples.

    inputs: (N, ...) by input name, float32 or the input's integer type
    targets: as the loss wants them
    masks: (N, ...) of 0 and 1 by random node; empty lets the framework draw its own.
    """

    inputs: Mapping[str, np.ndarray]
    targets: np.ndarray
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """N."""
        return len(self.targets)

    def rows(self, index: np.ndarray | slice) -> "Batch":
        """The examples at `index`, in that order."""
        pick = {name: array[index] for name, array in self.inputs.items()}
        return Batch(
            pick, self.targets[index], {name: array[index] for name, array in self.masks.items()}
        )
