"""What a backend says of itself so that a cell of its becomes a script."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..spec.phases import Phase
from ..spec.workload import Workload


@dataclass(frozen=True)
class ScriptRequest:
    """A cell that was measured, and what it was measured on.

    weights: parameters and state by canonical name and layout, as `Backend.build` takes them
    name: of the script's file without its suffix; files beside it begin with the same.
    """

    workload: Workload
    arm: Arm
    phase: Phase
    seed: int
    batch: Batch
    weights: Mapping[str, np.ndarray] = field(repr=False)
    name: str


@dataclass(frozen=True)
class ScriptParts:
    """What a backend's script is made of besides the loop and its head.

    `code` defines, at the left margin:

        call()           one call of the phase, whose result `wait` and `answers` take
        wait(result)     returns when the device has finished
        start()          back to the first weights, where the phase changes them; else does nothing
        answers(result)  arrays by name, as `Program.get` names them: `outputs/<node>`, `loss`, ...

    It may read every name that `files` define or import, and ARRAYS, the script's arrays by name.
    """

    code: str
    files: Sequence[Path]
    """Python files whose functions the script may hold."""
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Kept beside the script, in an .npz."""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Other files beside the script, by suffix."""


class ScriptWriter(ABC):
    """Writes cells of one backend as code of its framework, which it does not import.

    Laws: a script computes what the backend's Program computes, from the same weights, draws the
    same random numbers and takes the same kernels where the framework has several; what cannot be
    written yet is refused.
    """

    title: str
    """Of the framework, as people write it."""
    generator: str
    """What random ops draw from, for the script's head."""

    @abstractmethod
    def refusal(self, request: ScriptRequest) -> str:
        """Why the cell cannot be written yet; empty if it can."""

    @abstractmethod
    def parts(self, request: ScriptRequest) -> ScriptParts:
        """The script, but for what all scripts share."""

    def canonical(
        self, request: ScriptRequest, answers: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """What a script's `--check` wrote, in canonical layouts."""
        return dict(answers)
