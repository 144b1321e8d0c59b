"""Devices as users name them: `cpu`, `gpu`, `gpu:1`, `tpu`."""

import re
from dataclasses import dataclass, field

from ..errors import UsageError
from ..wording import shortened

KINDS = ("cpu", "gpu", "tpu")


@dataclass(frozen=True)
class Device:
    """Kind and index name it; `description` and `memory_bytes` where the framework gives them."""

    kind: str
    index: int = 0
    description: str = field(default="", compare=False)
    memory_bytes: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.kind if self.index == 0 else f"{self.kind}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> "Device":
        """`gpu:1` -> Device('gpu', 1); UsageError for anything else than KIND[:INDEX]."""
        match = re.fullmatch(r"(cpu|gpu|tpu)(?::([0-9]{1,4}))?", text.strip().lower())
        if not match:
            raise UsageError(
                f"device '{shortened(text)}' is not known; write {', '.join(KINDS)}, "
                "or one with an index such as gpu:1"
            )
        return cls(match[1], int(match[2] or 0))


CPU = Device("cpu")
AUTO = Device("auto")
"""Of an arm as it was requested: which device it means is decided when the run is planned."""


def requested_device(text: str) -> Device:
    """`auto`, or the device that `text` names; UsageError for another text."""
    return AUTO if text == AUTO.kind else Device.parse(text)
