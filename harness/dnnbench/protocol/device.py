"""Devices as users name them: `cpu`, `gpu`, `gpu:1`, `tpu`."""

import re
from typing import NamedTuple

from ..errors import UsageError
from ..wording import shortened

KINDS = ("cpu", "gpu", "tpu")


class Device(NamedTuple):
    """Kind and index; `description` and `memory_bytes` where the framework tells them."""

    kind: str
    index: int = 0
    description: str = ""
    memory_bytes: int | None = None

    def __str__(self) -> str:
        return self.kind if self.index == 0 else f"{self.kind}:{self.index}"

    @classmethod
    def parse(cls, text: str) -> "Device":
        """`gpu:1` -> Device('gpu', 1); UsageError for anything else than KIND[:INDEX]."""
        match = re.fullmatch(r"(cpu|gpu|tpu)(?::([0-9]{1,4}))?", text.strip().lower())
        if not match:
            raise UsageError(
                f"device '{shortened(text)}' is not known; write {', '.join(KINDS)}, or one with an index such as gpu:1"
            )
        return cls(match[1], int(match[2] or 0))

    def same_place(self, other: "Device") -> bool:
        """Whether both name one device, whatever is known of it."""
        return (self.kind, self.index) == (other.kind, other.index)


CPU = Device("cpu")
