"""What the diagnosis says of a divergence, as data and in words."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from ..agreement.keys import Group, TensorKey
from ..agreement.replay import Replay
from ..spec.phases import Phase
from .known_faults import UNKNOWN
from .replay import source_of


@dataclass(frozen=True)
class Explanation:
    """Which part computes something else, in which tensor, how far off, and by which known fault.

    what: `node`, `loss`, `prediction`, `optimizer`, or `phase` where no part is wrong alone
    name: of the node, loss, ...   op: a node's kind   ratio: error over allowance
    convention: the known fault that would make just that tensor
    confirmed: the part alone, on the reference's inputs, is wrong too
    """

    what: str
    name: str
    op: str
    tensor: str
    ratio: float
    reason: str
    convention: str
    confirmed: bool

    @property
    def sentence(self) -> str:
        """For a reader."""
        kind = f" ({self.op})" if self.op else ""
        off = f"is {self.ratio:.3g} times the allowance off" if isfinite(self.ratio) else "differs"
        part = f"{self.what} '{self.name}'{kind}: {self.tensor} {off}, {self._alone}"
        return f"{part} ({self.reason}); {self._fault}"

    @property
    def _alone(self) -> str:
        if self.what == "phase":
            return "though every part alone agrees"
        if self.confirmed:
            return "alone too, on the reference's inputs"
        return "not when it is replayed alone"

    @property
    def _fault(self) -> str:
        if self.convention == UNKNOWN:
            return "no known fault explains it"
        return f"known fault: {self.convention}"

    def to_json(self) -> dict[str, Any]:
        """Plain data, the sentence among them."""
        return asdict(self) | {"sentence": self.sentence}


def tensor_in_words(key: TensorKey, replay: Replay) -> str:
    """As "the gradient of fc1.bias"; an offset is called by the input that it is added to."""
    source = source_of(replay.workload.model, key.name)
    gradient_of_input = f"the gradient of its input {source or key.name}"
    words = {
        Group.ACTIVATIONS: "its output",
        Group.OUTPUTS: "its output",
        Group.STATE: f"the running statistic {key.name}",
        Group.LOSS: "its value",
        Group.PREDICTION: "what it predicts",
        Group.WEIGHTS: f"the change of {key.name}",
        Group.SLOTS: f"the slot {key.slot}/{key.name}",
        Group.GRADIENTS: gradient_of_input if source else f"the gradient of {key.name}",
        Group.COTANGENTS: gradient_of_input,
    }[key.group]
    if key.phase is Phase.INFER and key.group is Group.OUTPUTS:
        words = "its output in inference"
    return f"{words} after step {key.step}" if key.optimizer else words
