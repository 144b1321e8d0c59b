"""What a workload works through, as people count it: tokens, images, or examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IMAGE_DATA = ("digits", "idx")
"""Kinds of data that are images, however their arrays lie."""


@dataclass(frozen=True)
class Unit:
    """Its plural, and how many there are in one example."""

    name: str = "examples"
    each: int = 1

    @property
    def a_second(self) -> str:
        """Of a rate, as a heading has it."""
        return f"{self.name}/s"


EXAMPLES = Unit()


def unit_of(workload: Mapping[str, Any]) -> Unit:
    """Of a workload as a store keeps it; examples where it does not tell what they are.

    Ids in a sequence (N, T) are tokens, T of an example: of the first such input, for an encoder's
    and a decoder's are the same text.  Floats (N, H, W, C) are images, and so is what comes from a
    file of images.
    """
    model = workload.get("model")
    if not isinstance(model, Mapping):  # of an older dnnbench, or broken
        return EXAMPLES
    inputs: Sequence[Mapping[str, Any]] = model.get("inputs", ())
    for one in inputs:
        if one["dtype"] == "int32" and len(one["shape"]) == 1:
            return Unit("tokens", int(one["shape"][0]))
    from_images = workload.get("task", {}).get("data", {}).get("kind") in IMAGE_DATA
    if from_images or any(len(one["shape"]) == 3 for one in inputs):
        return Unit("images")
    return EXAMPLES
