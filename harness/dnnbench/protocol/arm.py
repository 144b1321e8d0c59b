"""An arm: what is timed against what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .device import CPU, Device
from .dtypes import DType
from .precision import PRECISIONS, Precision

OPTIONS = ("dtype", "threads", "device")
"""What an arm computes in, with and on: several values of one of them make an arm each."""


@dataclass(frozen=True)
class Arm:
    """Backend, mode, device, element type, threads and interpreter.

    Written `BACKEND[:MODE][@ENVIRONMENT]`, with `[OPTION=VALUE,...]` behind it for each option
    that is to be another than the run's.

    Requested, its device may be AUTO; resolved (`on`), it names the device that it is built on.
    """

    backend: str
    mode: str
    device: Device = CPU
    dtype: DType = DType.FLOAT32
    threads: int = 1
    environment: str = ""
    """Path of another Python interpreter; empty for this one."""
    twin: bool = False
    """Whether it is the run's base a second time, whose ratio to the base must cover 1."""
    shown: tuple[str, ...] = field(default=(), compare=False)
    """Which of OPTIONS its name tells: those that vary between the arms of its run."""

    @property
    def name(self) -> str:
        """As the user writes it, with mode and what varies; a twin has the base's and a mark."""
        environment = f"@{self.environment}" if self.environment else ""
        options = ",".join(f"{option}={getattr(self, option)}" for option in self.shown)
        bracketed = f"[{options}]" if options else ""
        written = f"{self.backend}:{self.mode}{environment}{bracketed}"
        return twin_of(written) if self.twin else written

    def named_as(self, text: str) -> "Arm":
        """The same arm, whose name shows what `text`, a name of it, shows."""
        options = text.partition("[")[2]  # an environment's path may hold `dtype=` as well
        return replace(self, shown=tuple(o for o in OPTIONS if f"{o}=" in options))

    @property
    def precision(self) -> Precision:
        """The types that `dtype` stands for."""
        return PRECISIONS[self.dtype]

    def to_json(self) -> dict[str, Any]:
        """Plain data for a message or a store; a twin is built as its base is."""
        return {
            "backend": self.backend,
            "mode": self.mode,
            "device": str(self.device),
            "dtype": self.dtype,
            "threads": self.threads,
            "environment": self.environment,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Arm":
        typed = {"device": Device.parse(data["device"]), "dtype": DType(data["dtype"])}
        return cls(**(dict(data) | typed))

    def with_dtype(self, dtype: DType) -> "Arm":
        """The same arm in another element type."""
        return replace(self, dtype=dtype)

    def in_place_of(self, other: "Arm") -> "Arm":
        """This arm with another's type, threads and device."""
        return replace(self, dtype=other.dtype, threads=other.threads, device=other.device)

    def on(self, device: Device) -> "Arm":
        """The same arm on a device: resolved, where it was requested."""
        return replace(self, device=device)


def telling_apart(arms: Sequence[Arm], named: Collection[str] = ()) -> tuple[Arm, ...]:
    """The same arms, each with the options in its name that vary between them or are `named`."""
    values = {option: {getattr(arm, option) for arm in arms} for option in OPTIONS}
    shown = tuple(o for o in OPTIONS if o in named or len(values[o]) > 1)
    return tuple(replace(arm, shown=shown) for arm in arms)


def twin_of(name: str) -> str:
    """The name of an arm that is measured a second time."""
    return f"{name}#twin"
