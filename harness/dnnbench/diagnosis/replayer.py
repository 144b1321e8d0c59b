"""Where replays are computed: what the search for a divergence has computed by both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..agreement.comparison import TensorComparison
from ..agreement.keys import TensorKey, Tensors
from ..agreement.reference import Reference
from ..agreement.replay import Replay
from ..agreement.trace import Trace


@dataclass(frozen=True)
class ReplayResult:
    """A replay's comparisons, the arm's tensors that disagree, and the whole reference."""

    comparisons: Sequence[TensorComparison]
    observed: Tensors
    reference: Reference


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

    def reference_in(self, replay: Replay, dtype: str) -> Reference:
        """The reference of a replay, with how far honest rounding strays in an element type."""

    def find_traces(self) -> Sequence[Trace]:
        """What calls of the contender leave behind."""

    def find_repeats(self) -> Sequence[TensorComparison]:
        """The contender's gradient passes, compared with each other."""
