"""Normalisations. In float64 by steps, as an epsilon in an attribute is a float32."""

from math import prod

import numpy as np

from ...spec.ops.norm import BatchNorm, GroupNorm, LayerNorm, RmsNorm
from ...spec.tensor import TensorType
from ..tensor import Tensor, Weight


def batch_norm(
    op: BatchNorm, x: Tensor, scale: Weight, bias: Weight, mean: Weight, variance: Weight
) -> Tensor:
    """ONNX's operator where channels come second, for a convolution to take in; else two steps.

    These multiply by scale / sqrt(v + epsilon) and add the rest.
    """
    if x.place(-1) == 1 and not x.graph.exact:
        statistics = [weight.plain for weight in (scale, bias, mean, variance)]
        return x.by("BatchNormalization", *statistics, epsilon=op.epsilon)
    factor = scale.array / np.sqrt(variance.array + op.epsilon)
    offset = bias.array - mean.array * factor
    scaled = x.by("Mul", scale.made_of(factor, variance.name, x))
    return scaled.by("Add", bias.made_of(offset, variance.name, x))


def layer_norm(op: LayerNorm, x: Tensor, scale: Weight, bias: Weight) -> Tensor:
    x = x.rows
    if x.graph.exact:
        standard = _standardised(x, op.epsilon)
        return standard.by("Mul", scale.plain).by("Add", bias.plain)
    return x.by("LayerNormalization", scale.plain, bias.plain, axis=-1, epsilon=op.epsilon)


def rms_norm(op: RmsNorm, x: Tensor, scale: Weight) -> Tensor:
    x = x.rows
    if x.graph.exact:
        return x.by("Div", _root_mean_square(x, op.epsilon)).by("Mul", scale.plain)
    return x.by("RMSNormalization", scale.plain, axis=-1, epsilon=op.epsilon)


def group_norm(op: GroupNorm, x: Tensor, scale: Weight, bias: Weight) -> Tensor:
    """Each group as a row of a layer norm.

    ONNX's own operator takes its variance in one pass in ONNX Runtime 1.32: 100 deviations from
    zero it is 1.8e-3 off.
    """
    x, graph = x.channels_first, x.graph
    size = prod(x.type.shape) // op.groups
    rows = graph.run("Reshape", x.name, graph.constant([0, op.groups, size]))
    groups = Tensor(graph, rows, TensorType((op.groups, size)), (0, 1, 2))
    if graph.exact:
        standard = _standardised(groups, op.epsilon)
    else:
        ones = graph.constant(np.ones(size))
        standard = groups.by("LayerNormalization", ones, axis=-1, epsilon=op.epsilon)
    # Scale and bias are of channels, not of groups: they come once the rows are an image again.
    sizes = [x.type.shape[axis - 1] for axis in x.axes[1:]]
    y = x.result(graph.run("Reshape", standard.name, graph.constant([0, *sizes])))
    return y.by("Mul", scale.beside(x)).by("Add", bias.beside(x))


def _standardised(x: Tensor, epsilon: float) -> Tensor:
    """(x - mu) / sqrt(v + epsilon) over the last axis, the variance in two passes"""
    last = x.graph.constant([x.rank - 1])
    centred = x.by("Sub", x.graph.run("ReduceMean", x.name, last))
    return centred.by("Div", _root_mean_square(centred, epsilon))


def _root_mean_square(x: Tensor, epsilon: float) -> str:
    """sqrt(mean x^2 + epsilon) over the last axis, which stays as one of 1"""
    graph = x.graph
    squares = graph.run("Mul", x.name, x.name)
    mean = graph.run("ReduceMean", squares, graph.constant([x.rank - 1]))
    return graph.run("Sqrt", graph.run("Add", mean, graph.constant(epsilon)))
