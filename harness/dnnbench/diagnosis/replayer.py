"""Where replays are computed: what the search for a divergence has computed by both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..agreement.comparison import TensorComparison
from ..agreement.keys import TensorKey, Tensors
from ..agreement.replay import Replay


@dataclass(frozen=True)
class ReplayResult:
    """A replay's comparisons, and the tensors of both sides where they disagree."""

    comparisons: Sequence[TensorComparison]
    observed: Tensors
    reference: Mapping[TensorKey, np.ndarray]


class Replayer(Protocol):
    """Computes replays with the contender and the reference: in workers, or in this process."""

    dtype: str

    def compare(self, replay: Replay) -> ReplayResult:
        """Both compute it; every tensor of both is returned, of small replays."""

    def compare_network(
        self, replay: Replay
    ) -> tuple[Sequence[TensorComparison], Mapping[TensorKey, np.ndarray]]:
        """Comparisons of the whole network, and the reference's tensors, read as they are used."""

    def reference_values(self, replay: Replay) -> Tensors:
        """What the reference computes."""
