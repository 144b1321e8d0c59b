"""A contender: what is timed against what."""

from dataclasses import asdict, dataclass, replace

from .device import CPU, Device
from .dtypes import DType
from .precision import PRECISIONS, Precision


@dataclass(frozen=True)
class Arm:
    """Backend, mode, device, element type, threads and interpreter. Written `BACKEND[:MODE][@ENVIRONMENT]`."""

    backend: str
    mode: str
    device: Device = CPU
    dtype: DType = DType.FLOAT32
    threads: int = 1
    environment: str = ""
    """Path of another Python interpreter; empty for this one."""

    @property
    def name(self) -> str:
        """As the user writes it, mode always told."""
        return f"{self.backend}:{self.mode}" + (f"@{self.environment}" if self.environment else "")

    @property
    def precision(self) -> Precision:
        """The types that `dtype` stands for."""
        return PRECISIONS[self.dtype]

    def to_json(self) -> dict:
        """Plain data for a message or a store."""
        return asdict(self) | {"device": str(self.device)}

    @classmethod
    def from_json(cls, data: dict) -> "Arm":
        typed = {"device": Device.parse(data["device"]), "dtype": DType(data["dtype"])}
        return cls(**(data | typed))

    def with_dtype(self, dtype: DType) -> "Arm":
        """The same contender in another element type."""
        return replace(self, dtype=dtype)
