"""A tensor as the code of a script names it."""

from dataclasses import dataclass

from ..spec.model import Model
from ..spec.tensor import TensorType


@dataclass(frozen=True)
class Value:
    """What stands for a tensor in a line of code, and the tensor's type.

    The text is a name or a lookup, so that `f"{x}.mean()"` and `f"-{x}"` mean what they say.
    """

    text: str
    type: TensorType

    def __str__(self) -> str:
        return self.text

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example, in the spec's order of axes."""
        return self.type.shape

    @property
    def ndim(self) -> int:
        """Axes of the tensor, the batch's among them."""
        return len(self.type.shape) + self.type.batched


def parameter(model: Model, name: str) -> Value:
    """A learned array or running statistic in the script's dictionaries `w` and `state`."""
    arrays, held = (model.parameters, "w") if name in model.parameters else (model.state, "state")
    return Value(f'{held}["{name}"]', TensorType(arrays[name].shape, batched=False))


def key_of(value: Value) -> str:
    """The name by which a dictionary holds the value, in quotes: `"norm.mean"`."""
    return value.text.partition("[")[2].rstrip("]")


def call(function: str, *arguments: object, **named: object) -> str:
    """`function(a, b, c=d)`; arguments are code, what is None is left out."""
    placed = [str(a) for a in arguments if a is not None]
    placed += [f"{name}={value}" for name, value in named.items() if value is not None]
    return f"{function}({', '.join(placed)})"
