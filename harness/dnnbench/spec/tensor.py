"""Types of tensors, parameters and their initial values."""

from math import prod
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=80)]
MOST_AXES = 31
"""NumPy has had 32 axes for longest, and one is the batch's."""
Shape = Annotated[tuple[PositiveInt, ...], Field(max_length=MOST_AXES)]
Kind = Literal["float", "int32", "bool"]


class Spec(BaseModel):
    """Frozen data that refuses unknown keys: the base of everything a workload file holds."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False
    )


class TensorType(NamedTuple):
    """Shape of one example and element kind; `float` means the type that the arm computes in.

    A batched tensor of N examples has shape (N, *shape); a learned constant has no batch axis.
    """

    shape: tuple[int, ...]
    kind: Kind = "float"
    batched: bool = True

    @property
    def size(self) -> int:
        """Elements in one example."""
        return prod(self.shape)

    def __str__(self) -> str:
        axes = (*(["N"] if self.batched else []), *map(str, self.shape))
        return f"({', '.join(axes)})" + ("" if self.kind == "float" else f" {self.kind}")


class Initializer(Spec):
    """Where a parameter starts: `zeros`, `ones`, `constant` at `value`,
    or `uniform` in [-bound, bound].
    """

    kind: Literal["zeros", "ones", "constant", "uniform"]
    value: float = 0.0
    bound: float = Field(1.0, gt=0)


ZEROS = Initializer(kind="zeros")
ONES = Initializer(kind="ones")


def he_uniform(fan_in: int) -> Initializer:
    """Uniform with variance 2 / fan_in, which keeps the scale through a relu.

    bound = sqrt(6 / fan_in). Source: He et al. 2015, arXiv 1502.01852.
    """
    return Initializer(kind="uniform", bound=(6 / fan_in) ** 0.5)


class Parameter(NamedTuple):
    """Shape (canonical layout) and initial values of one array that a node owns."""

    shape: tuple[int, ...]
    initializer: Initializer

    @property
    def size(self) -> int:
        return prod(self.shape)
