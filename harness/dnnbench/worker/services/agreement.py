"""Does the arm compute what the reference computes? References are written to files,
and read where an arm is checked.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...agreement.check import Agreement
from ...agreement.comparison import TensorComparison
from ...agreement.keys import TensorKey
from ...agreement.replay import Replay
from ...agreement.trace import Trace
from ...protocol.batch import Batch
from ...protocol.dtypes import DType
from ...spec.phases import PHASES, Phase
from ...spec.workload import Workload


@dataclass(frozen=True)
class CheckRequest:
    """What one workload is checked on: batches for so many steps, from weights of a seed
    or from given ones.

    dtype: the element type whose results are checked;
    weights and inputs lie on the grid of its products.
    phases: those that are checked where the arm offers them; no other is called.
    weights: None for where checks start: initial ones, no scale 1 and no bias 0 throughout.
    timed: the batch that is timed, with masks; None where the check asks no more rows.
    """

    workload: Workload
    batches: tuple[Batch, ...] = field(repr=False)
    steps: tuple[int, ...]
    seed: int
    dtype: DType = DType.FLOAT64
    phases: tuple[Phase, ...] = PHASES
    weights: Mapping[str, np.ndarray] | None = field(default=None, repr=False)
    timed: Batch | None = field(default=None, repr=False)

    def in_dtype(self, dtype: DType) -> "CheckRequest":
        """The same for results in another element type."""
        return replace(self, dtype=dtype)


@dataclass(frozen=True)
class ReplayRequest:
    """A part of a network on its own; dtype and seed as in a CheckRequest."""

    replay: Replay
    dtype: DType
    seed: int


@dataclass(frozen=True)
class NodeComparisons:
    """Every tensor of a replay held against its reference, and, where asked for,
    the tensors that disagree.
    """

    comparisons: tuple[TensorComparison, ...]
    tensors: Mapping[TensorKey, np.ndarray] = field(repr=False)


class AgreementService(ABC):
    """`make_reference`, `make_node_reference` and `node_values` are asked of the reference's
    worker in float64.
    """

    @abstractmethod
    def make_reference(self, request: CheckRequest, path: Path) -> None:
        """Write the reference that a request's results are held against."""

    @abstractmethod
    def check(self, request: CheckRequest, path: Path) -> tuple[Agreement, ...]:
        """The arm held against the reference in a file: a row for each kind of tensor."""

    @abstractmethod
    def make_node_reference(self, request: ReplayRequest, path: Path) -> None:
        """Write the reference of a replay, node by node."""

    @abstractmethod
    def node_values(self, request: ReplayRequest) -> Mapping[TensorKey, np.ndarray]:
        """What this backend computes of a replay in float64, node by node."""

    @abstractmethod
    def compare_nodes(self, request: ReplayRequest, path: Path, tensors: bool) -> NodeComparisons:
        """The arm held against a replay's reference, in the phases that it offers of the replay.

        tensors: whether those that disagree are wanted.
        """

    @abstractmethod
    def find_traces(self, request: CheckRequest) -> tuple[Trace, ...]:
        """What calls of the arm leave behind, in the phases of a request that it offers."""

    @abstractmethod
    def find_repeats(self, request: CheckRequest) -> tuple[TensorComparison, ...]:
        """The arm's gradient passes on the first batch, compared with each other."""
