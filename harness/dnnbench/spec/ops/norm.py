"""Normalisations."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from ..tensor import ONES, ZEROS, Parameter, TensorType
from .activation import Activation
from .base import Arithmetic, Types


class _Affine(Activation):
    """A normalisation with a learned scale, and a bias, for each channel (the last axis)."""

    arithmetic: ClassVar[Arithmetic] = "wide"
    flops_per_element: ClassVar[int] = 8

    def output(self, inputs: Types) -> TensorType:
        result = super().output(inputs)
        if not inputs[0].shape:
            raise ValueError(f"wants at least one axis besides the batch, got {inputs[0]}")
        return result

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        channels = inputs[0].shape[-1:]
        return {"scale": Parameter(channels, ONES), "bias": Parameter(channels, ZEROS)}


class BatchNorm(_Affine):
    """Standardise each channel (the last axis), then scale and shift it.

    Training: mu, v = mean and biased variance over all axes but the last (variance in two passes);
    running = momentum running + (1 - momentum) batch, the variance biased, or m / (m - 1) times it
    over m elements with `unbiased` (PyTorch's convention); over a single element it is 0 either way
    (PyTorch refuses such a batch, which an epoch can end with).
    Inference: mu, v = running statistics.
    y = scale (x - mu) / sqrt(v + epsilon) + bias, which for equal values (v = 0) is the bias.
    x, y: (N, ..., C)   scale, bias, mean, variance: (C,)
    Source: Ioffe & Szegedy 2015, arXiv 1502.03167.
    """

    kind: Literal["batch_norm"] = "batch_norm"
    epsilon: float = Field(1e-5, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1, description="weight of the old running statistics")
    unbiased: bool = False
    formula: ClassVar[str] = "y = g (x - mu) / sqrt(v + eps) + b"

    def state(self, inputs: Types) -> dict[str, Parameter]:
        channels = inputs[0].shape[-1:]
        return {"mean": Parameter(channels, ZEROS), "variance": Parameter(channels, ONES)}


class LayerNorm(_Affine):
    """Standardise the last axis of each position by its own mean mu and biased variance v.

    y = scale (x - mu) / sqrt(v + epsilon) + bias
    x, y: (N, ..., C)   scale, bias: (C,)   Source: Ba et al. 2016, arXiv 1607.06450.
    """

    kind: Literal["layer_norm"] = "layer_norm"
    epsilon: float = Field(1e-5, gt=0)
    formula: ClassVar[str] = "y = g (x - mu) / sqrt(v + eps) + b"


class RmsNorm(_Affine):
    """Divide the last axis of each position by its root mean square.

    y = scale x / sqrt(mean(x^2) + epsilon)
    x, y: (N, ..., C)   scale: (C,)   Source: Zhang & Sennrich 2019, arXiv 1910.07467.
    """

    kind: Literal["rms_norm"] = "rms_norm"
    epsilon: float = Field(1e-6, gt=0)
    formula: ClassVar[str] = "y = g x / sqrt(mean x^2 + eps)"
    flops_per_element: ClassVar[int] = 4

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        return {"scale": Parameter(inputs[0].shape[-1:], ONES)}


class GroupNorm(_Affine):
    """Standardise groups of C / groups neighbouring channels of each example over all positions.

    y = scale (x - mu) / sqrt(v + epsilon) + bias, mu and v (biased) of the group.
    x, y: (N, ..., C)   scale, bias: (C,)   Source: Wu & He 2018, arXiv 1803.08494.
    """

    kind: Literal["group_norm"] = "group_norm"
    groups: PositiveInt
    epsilon: float = Field(1e-5, gt=0)
    formula: ClassVar[str] = "y = g (x - mu) / sqrt(v + eps) + b"

    def output(self, inputs: Types) -> TensorType:
        result = super().output(inputs)
        if inputs[0].shape[-1] % self.groups:
            raise ValueError(
                f"groups={self.groups} do not divide the {inputs[0].shape[-1]} channels "
                f"of {inputs[0]}"
            )
        return result
