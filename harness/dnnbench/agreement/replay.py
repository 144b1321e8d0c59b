"""A workload with weights of its own, which the reference and a contender compute node by node."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..protocol.batch import Batch
from ..spec.workload import Workload

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Replay:
    """A workload and what it is fed; `weights` stand in for initial ones of the same name."""

    workload: Workload
    batches: tuple[Batch, ...]
    steps: tuple[int, ...] = ()
    weights: Arrays = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data and arrays for a message."""
        return {
            "workload": self.workload.model_dump(mode="json"),
            "batches": [asdict(batch) for batch in self.batches],
            "steps": list(self.steps),
            "weights": dict(self.weights),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Replay":
        """What `to_json` wrote."""
        workload = Workload.model_validate(data["workload"])
        batches = tuple(Batch(**parts) for parts in data["batches"])
        return cls(workload, batches, tuple(data["steps"]), data["weights"])
