"""Normalisations."""

from typing import ClassVar, Literal

from pydantic import Field

from ..tensor import ONES, ZEROS, Parameter
from .activation import Activation


class BatchNorm(Activation):
    """Standardise each channel (the last axis), then scale and shift it.

    Training: mu, v = mean and biased variance over all axes but the last (variance in two passes);
    running = momentum running + (1 - momentum) batch, both with the biased variance.
    Inference: mu, v = running statistics.
    y = scale (x - mu) / sqrt(v + epsilon) + bias
    x, y: (N, ..., C)   scale, bias, mean, variance: (C,)   Source: Ioffe & Szegedy 2015, arXiv 1502.03167.
    """

    kind: Literal["batch_norm"] = "batch_norm"
    epsilon: float = Field(1e-5, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1, description="weight of the old running statistics")
    formula: ClassVar[str] = "y = g (x - mu) / sqrt(v + eps) + b"
    flops_per_element: ClassVar[int] = 8

    def parameters(self, inputs):
        channels = inputs[0].shape[-1:]
        return {"scale": Parameter(channels, ONES), "bias": Parameter(channels, ZEROS)}

    def state(self, inputs):
        channels = inputs[0].shape[-1:]
        return {"mean": Parameter(channels, ZEROS), "variance": Parameter(channels, ONES)}
