"""What training minimises: a mean over the batch, read from the model's first output."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .tensor import Spec, TensorType


class CrossEntropy(Spec):
    """From logits and integer labels: L = mean over label positions of -log softmax(z)[label].

    z: (N, ..., K)   labels: (N, ...) int32   L: ()
    """

    kind: Literal["cross_entropy"] = "cross_entropy"
    formula: ClassVar[str] = "L = -mean log softmax(z)[label]"
    prediction: ClassVar[str] = "argmax"

    def target(self, output: TensorType) -> TensorType:
        """Type of the labels that belong to logits of this type."""
        return TensorType(output.shape[:-1], "int32")


class Mse(Spec):
    """Mean over all elements of (z - t)^2.      z, t: (N, ...)   L: ()"""

    kind: Literal["mse"] = "mse"
    formula: ClassVar[str] = "L = mean (z - t)^2"
    prediction: ClassVar[str] = "identity"

    def target(self, output: TensorType) -> TensorType:
        """Type of the values that belong to an output of this type."""
        return TensorType(output.shape)


Loss = Annotated[CrossEntropy | Mse, Field(discriminator="kind")]
