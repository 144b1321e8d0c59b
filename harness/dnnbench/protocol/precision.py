"""Element types as users name them, and which of them an op computes in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from .dtypes import DType

if TYPE_CHECKING:  # an arm names its type without the spec's own library
    from ..spec.model import Model, Node
    from ..spec.ops.base import Op
    from .evaluation import Apply, T


class Precision(NamedTuple):
    """Three types: of what is kept, of what flows, and of what products read.

    weights: parameters, running statistics, optimizer slots, the loss
    values: activations and their gradients
    products: inputs of matrix products and convolutions;
    `tf32` is a float32 whose products keep 10 bits of fraction.
    scaled: the loss is multiplied by LOSS_SCALE before backpropagation,
    and gradients divided by it.
    """

    name: DType
    weights: str
    values: str
    products: str
    scaled: bool = False

    @property
    def itemsize(self) -> int:
        """Bytes of one activation."""
        return {"float64": 8, "float32": 4}.get(self.values, 2)

    @property
    def kept_itemsize(self) -> int:
        """Bytes of one parameter, and of one element of its gradient and optimizer slots."""
        return {"float64": 8, "float32": 4}[self.weights]

    @property
    def low(self) -> bool:
        """Whether tensors are cast around ops; tf32 is a way of multiplying float32."""
        return self.products in ("bfloat16", "float16")

    def types(self, op: "Op") -> tuple[str | None, str | None]:
        """(type its inputs and parameters are cast to, type its result is cast to)
        in a low precision.

        product: computes in `products` and gives that. wide (normalisations, softmax, means):
        computes in `weights`, as a sum over many elements must. plain:
        computes in the widest of its inputs' types, which None stands for.
        In pure low precision every result is `values`; in mixed precision wide results stay wide.
        """
        pure = self.values == self.products
        match op.arithmetic:
            case "product":
                return self.products, self.products
            case "wide":
                return self.weights, self.values if pure else self.weights
        return (self.values, self.values) if pure else (None, None)


LOSS_SCALE = 1024.0
"""Lifts float16 gradients over its smallest normal number, 6e-5;
a power of two, so that scaling rounds nothing.
"""
PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision(DType.FLOAT64, "float64", "float64", "float64"),
        Precision(DType.FLOAT32, "float32", "float32", "float32"),
        Precision(DType.TF32, "float32", "float32", "tf32"),
        Precision(DType.BFLOAT16, "float32", "bfloat16", "bfloat16"),
        Precision(DType.FLOAT16, "float32", "float16", "float16", scaled=True),
        Precision(DType.MIXED_BFLOAT16, "float32", "float32", "bfloat16"),
        Precision(DType.MIXED_FLOAT16, "float32", "float32", "float16", scaled=True),
    )
}
"""By the name that --dtype takes."""


def computed_in(model: "Model", precision: Precision) -> dict[str, tuple[str, str]]:
    """(type it computes in, type of its value) of every node, float input and constant, by name."""
    types = {i.name: (precision.values,) * 2 for i in model.inputs if i.dtype == "float"}
    types |= {c.name: (precision.weights,) * 2 for c in model.constants}
    for node in model.nodes:
        inside, outside = precision.types(node.op)
        if not inside:
            arriving = {types[name][1] for name in node.inputs if name in types}
            inside = arriving.pop() if len(arriving) == 1 else precision.weights
        types[node.name] = inside, outside or inside
    return types


def cast_around(
    model: "Model", apply: "Apply[T]", precision: Precision, cast: "Callable[[T, str], T]"
) -> "Apply[T]":
    """`apply` with float arguments and parameters cast to the type that each op computes in.

    cast(x, type) gives a tensor in another float type, differentiably. Inputs arrive in `values`,
    constants in `weights`; running statistics are handed on as they are kept.
    """
    if not precision.low:
        return apply
    types = computed_in(model, precision)

    def applied(
        node: "Node", arguments: "list[T]", parameters: "dict[str, T]", state: "dict[str, T]"
    ) -> "tuple[T, dict[str, T]]":
        inside, outside = types[node.name]
        named = zip(node.inputs, arguments, strict=True)
        inputs = [
            cast(x, inside) if name in types else x for name, x in named
        ]  # ids and masks stay as they are
        own = {role: cast(parameter, inside) for role, parameter in parameters.items()}
        value, changed = apply(node, inputs, own, state)
        return cast(value, outside), changed

    return applied
