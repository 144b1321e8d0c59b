"""Keys of all tensors that a check observes; their text is written and read here alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from ..spec.phases import Phase


class Group(StrEnum):
    """What kind of thing a tensor is; the word is that of `Program.get` where a result holds it."""

    OUTPUTS = "outputs"
    PREDICTION = "prediction"
    PARTS = "parts"
    """Outputs of inference, the first example by itself and the others together."""
    STATE = "state"
    LOSS = "loss"
    GRADIENTS = "gradients"
    ACTIVATIONS = "activations"
    COTANGENTS = "cotangents"
    WEIGHTS = "weights"
    """What k steps have changed of a parameter: p_k - p_0."""
    SLOTS = "slots"


GROUPS: Mapping[Phase, frozenset[Group]] = {
    Phase.INFER: frozenset({Group.OUTPUTS, Group.PREDICTION, Group.PARTS}),
    Phase.FORWARD: frozenset({Group.OUTPUTS, Group.STATE}),
    Phase.LOSS: frozenset({Group.OUTPUTS, Group.STATE, Group.LOSS}),
    Phase.GRADIENTS: frozenset(
        {
            Group.OUTPUTS,
            Group.STATE,
            Group.LOSS,
            Group.GRADIENTS,
            Group.ACTIVATIONS,
            Group.COTANGENTS,
        }
    ),
    Phase.TRAIN_STEP: frozenset(
        {Group.OUTPUTS, Group.LOSS, Group.WEIGHTS, Group.SLOTS, Group.STATE}
    ),
    Phase.LOSS_ALONE: frozenset({Group.LOSS}),
    Phase.UPDATE_ALONE: frozenset({Group.WEIGHTS, Group.SLOTS}),
}
"""What is observed of each phase."""
NAMELESS = frozenset({Group.LOSS, Group.PREDICTION})
"""Groups of which a phase has but one tensor."""
BY_EXAMPLE = frozenset(
    {Group.OUTPUTS, Group.PREDICTION, Group.PARTS, Group.ACTIVATIONS, Group.COTANGENTS}
)
"""Groups whose tensors have an example's row for each row."""
_FAR, _INITIAL = "far/", "initial/"
_PREFIXES = "infer|forward|loss|then|loss_alone|update_alone"


Family = tuple[str, int, Phase, Group, str, bool, bool]
"""(optimizer, step, phase, group, slot, far, initial)"""


@dataclass(frozen=True, slots=True)
class TensorKey:
    """A tensor of one phase: of the first batch, or after `step` steps of an optimizer; slots at
    step 0 are those that a program is built with.

    name: of the node, parameter or running statistic; empty in a group of one
    slot: of the optimizer, in group `slots`
    far: whether logits and attention scores were lifted far from 1; of a prediction, whether all
    logits were made 0
    initial: whether of the initial weights that a program is timed with, not of a check's own

    As text, for readers, for the reference's files and for messages:

        infer/<node>  parts/<node>  prediction
        forward/<group>/<name>  loss/<group>/<name>  loss/loss
        <group>/<name>  loss                          of the phase `gradients`
        <optimizer>@<step>/<group>/<name>             of the phase `train_step`: weights, state,
        <optimizer>@<step>/loss                       and what step number `step` returned
        <optimizer>@<step>/slots/<slot>/<name>
        loss_alone/loss
        <optimizer>@<step>/update_alone/<group>/...   what so many updates by one gradient leave
        <optimizer>@<step>/infer/<node>               what the updated network infers
        <optimizer>@<step>/then/<group>/<name>        a gradient pass of the updated network
        far/<text of a key without an optimizer>
        initial/<the same>
    """

    group: Group
    name: str = ""
    phase: Phase = Phase.GRADIENTS
    optimizer: str = ""
    step: int = 0
    slot: str = ""
    far: bool = False
    initial: bool = False

    def __post_init__(self) -> None:
        observed = self.group in GROUPS.get(self.phase, ())
        named = bool(self.name) is (self.group not in NAMELESS)
        in_slot = bool(self.slot) is (self.group is Group.SLOTS)
        once = (self.far, self.initial, bool(self.optimizer)).count(True) <= 1
        if not (observed and named and in_slot and once):
            raise ValueError(f"no check observes such a tensor: {self!r}")

    @classmethod
    def parse(cls, text: str) -> "TensorKey":
        """The key whose text it is; ValueError if it is none."""
        try:
            key = cls._parse(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not the text of a tensor's key") from error
        if str(key) != text:
            raise ValueError(f"{text!r} is not the text of a tensor's key, but near that of {key}")
        return key

    @classmethod
    def _parse(cls, text: str) -> "TensorKey":
        if text.startswith(_FAR):
            return cls._parse(text.removeprefix(_FAR)).far_from_1()
        if text.startswith(_INITIAL):
            return cls._parse(text.removeprefix(_INITIAL)).of_initial_weights()
        match = re.fullmatch(rf"(?:(\w+)@(\d+)/)?(?:({_PREFIXES})/)?(.+)", text)
        if match is None:
            raise ValueError(text)
        optimizer, step, prefix, rest = match.groups(default="")
        steps = int(step or 0)
        if prefix == "infer":
            return cls(Group.OUTPUTS, rest, Phase.INFER, optimizer, steps)
        group, name, slot = _member(rest)
        if group in (Group.PREDICTION, Group.PARTS):
            phase = Phase.INFER
        elif prefix and prefix != "then":
            phase = Phase(prefix)
        else:
            phase = Phase.TRAIN_STEP if optimizer and not prefix else Phase.GRADIENTS
        return cls(group, name, phase, optimizer, steps, slot)

    def __str__(self) -> str:
        start = _FAR if self.far else _INITIAL if self.initial else ""
        return start + self._moment() + self._phase() + self._tensor()

    def _moment(self) -> str:
        return f"{self.optimizer}@{self.step}/" if self.optimizer else ""

    def _phase(self) -> str:
        match self.phase:
            case Phase.FORWARD | Phase.LOSS | Phase.LOSS_ALONE | Phase.UPDATE_ALONE:
                return f"{self.phase}/"
            case Phase.GRADIENTS if self.optimizer:
                return "then/"
        return ""

    def _tensor(self) -> str:
        if self.group in NAMELESS:
            return self.group
        inferred = self.phase is Phase.INFER and self.group is Group.OUTPUTS
        group = "infer" if inferred else self.group
        return f"{group}/{self.slot}/{self.name}" if self.slot else f"{group}/{self.name}"

    @property
    def phases(self) -> frozenset[Phase]:
        """Phases that must run before the tensor is there."""
        return frozenset({self.phase, Phase.TRAIN_STEP} if self.optimizer else {self.phase})

    @property
    def trajectory(self) -> tuple[str, int]:
        """(optimizer, step)"""
        return self.optimizer, self.step

    @property
    def at_start(self) -> bool:
        """Whether of the weights that a check starts from, and no step."""
        return not (self.optimizer or self.far or self.initial)

    @property
    def by_example(self) -> bool:
        """Whether the tensor's first axis counts examples."""
        return self.group in BY_EXAMPLE

    @property
    def moved_by_gradients(self) -> bool:
        """Whether a gradient's rounding reaches the tensor: not what the first step returns."""
        if self.optimizer and not self.step:
            return False
        if self.phase is Phase.TRAIN_STEP and self.group in (Group.OUTPUTS, Group.LOSS):
            return self.step > 1
        return bool(self.optimizer) or self.group in (Group.GRADIENTS, Group.COTANGENTS)

    @property
    def family(self) -> Family:
        """The same for all tensors that differ in their names alone."""
        place = self.far, self.initial
        return self.optimizer, self.step, self.phase, self.group, self.slot, *place

    @property
    def before_training(self) -> "TensorKey | None":
        """The same tensor before any step; None where there was none."""
        if self.group in (Group.WEIGHTS, Group.SLOTS):
            return None
        phase = Phase.GRADIENTS if self.phase is Phase.TRAIN_STEP else self.phase
        return replace(self, phase=phase, optimizer="", step=0)

    def after(self, optimizer: str, step: int) -> "TensorKey":
        """The same tensor of the network that an optimizer's steps have updated."""
        return replace(self, optimizer=optimizer, step=step)

    def far_from_1(self) -> "TensorKey":
        """The same tensor of the network whose logits and scores are lifted."""
        return replace(self, far=True)

    def of_initial_weights(self) -> "TensorKey":
        """The same tensor of the network as a program is built to be timed."""
        return replace(self, initial=True)


Tensors = dict[TensorKey, np.ndarray]


def gradient_of(parameter: str) -> TensorKey:
    """The key of a parameter's gradient on the first batch."""
    return TensorKey(Group.GRADIENTS, parameter)


def keyed(
    result: Mapping[str, np.ndarray], phase: Phase, optimizer: str = "", step: int = 0
) -> Tensors:
    """What `Program.get` makes of a phase's result, by key; what no check observes is left out."""
    tensors: Tensors = {}
    for text, array in result.items():
        word, _, name = text.partition("/")
        if word in GROUPS[phase] and bool(name) is (word not in NAMELESS):
            tensors[TensorKey(Group(word), name, phase, optimizer, step)] = array
    return tensors


def outputs_of(result: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Output nodes by name, of what `Program.get` makes of any phase's result."""
    outputs = {}
    for text, array in result.items():
        word, _, name = text.partition("/")
        if word == Group.OUTPUTS:
            outputs[name] = array
    return outputs


def slots_keyed(
    slots: Mapping[str, np.ndarray], optimizer: str, step: int, phase: Phase = Phase.TRAIN_STEP
) -> Tensors:
    """What `Program.optimizer_state` returns, by key."""
    tensors: Tensors = {}
    for text, array in slots.items():
        slot, _, parameter = text.partition("/")
        if slot and parameter:
            key = TensorKey(Group.SLOTS, parameter, phase, optimizer, step, slot)
            tensors[key] = array
    return tensors


def as_texts(tensors: Mapping[TensorKey, np.ndarray]) -> dict[str, np.ndarray]:
    """Tensors by the text of their key, for a message or a file."""
    return {str(key): array for key, array in tensors.items()}


def from_texts(arrays: Mapping[str, np.ndarray]) -> Tensors:
    """What `as_texts` wrote."""
    return {TensorKey.parse(text): array for text, array in arrays.items()}


def _member(text: str) -> tuple[Group, str, str]:
    """(group, name, slot) of the last part of a key's text."""
    word, _, name = text.partition("/")
    group, slot = Group(word), ""
    if group is Group.SLOTS:
        slot, _, name = name.partition("/")
    return group, name, slot
