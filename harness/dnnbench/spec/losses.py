"""What training minimises: a mean over the batch, read from the model's first output."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .tensor import Spec, TensorType


class CrossEntropy(Spec):
    """From logits and integer labels, with a share `smoothing` spread over all classes.

    L = mean over the label positions that are not `ignored` of -sum_k q_k log softmax(z)_k,
    q = (1 - smoothing) onehot(label) + smoothing / K.
    z: (N, ..., K)   labels: (N, ...) int32   L: ()   A batch must have a label that counts.
    Predicted is the class of the largest logit, the first of equal ones.
    Source of smoothing: Szegedy et al. 2015, arXiv 1512.00567.
    """

    kind: Literal["cross_entropy"] = "cross_entropy"
    smoothing: float = Field(0.0, ge=0, lt=1)
    ignored: int | None = Field(
        None, lt=0, description="a negative label that does not count, such as -1"
    )
    formula: ClassVar[str] = "L = -mean log softmax(z)[label]"
    prediction: ClassVar[str] = "argmax"

    def target(self, output: TensorType) -> TensorType:
        """Type of the labels that belong to logits of this type."""
        return TensorType(output.shape[:-1], "int32")


class BceWithLogits(Spec):
    """Binary cross-entropy of independent yes-or-no targets t in [0, 1], from logits z.

    L = mean over all elements of max(z, 0) - z t + log(1 + exp(-|z|)).      z, t: (N, ...)   L: ()
    Predicted is whether z > 0.
    """

    kind: Literal["bce_with_logits"] = "bce_with_logits"
    formula: ClassVar[str] = "L = mean max(z, 0) - z t + log(1 + exp(-|z|))"
    prediction: ClassVar[str] = "positive"

    def target(self, output: TensorType) -> TensorType:
        """Type of the values that belong to logits of this type."""
        return TensorType(output.shape)


class Mse(Spec):
    """Mean over all elements of (z - t)^2.      z, t: (N, ...)   L: ()"""

    kind: Literal["mse"] = "mse"
    formula: ClassVar[str] = "L = mean (z - t)^2"
    prediction: ClassVar[str] = "identity"

    def target(self, output: TensorType) -> TensorType:
        """Type of the values that belong to an output of this type."""
        return TensorType(output.shape)


Loss = Annotated[CrossEntropy | BceWithLogits | Mse, Field(discriminator="kind")]
