"""Convolutions: channels first, kernels as (filters, channels, kh, kw)."""

from itertools import chain

from ...spec.ops.conv import Conv1d, Conv2d, ConvTranspose2d
from ...spec.ops.windows import Ends
from ..tensor import Tensor, Weight


def conv1d(op: Conv1d, x: Tensor, weight: Weight, bias: Weight | None = None) -> Tensor:
    x = x.channels_first
    name = x.graph.run(
        "Conv",
        *(x.name, weight.transposed(2, 1, 0), *_plain(bias)),
        kernel_shape=[op.kernel],
        strides=[op.strides],
        pads=op.pads([x.type]),
        dilations=[op.dilation],
        group=op.groups,
    )
    return x.result(name, op.output([x.type]))


def conv2d(op: Conv2d, x: Tensor, weight: Weight, bias: Weight | None = None) -> Tensor:
    x = x.channels_first
    name = x.graph.run(
        "Conv",
        *(x.name, weight.transposed(3, 2, 0, 1), *_plain(bias)),
        kernel_shape=op.kernel,
        strides=op.strides,
        pads=begins_and_ends(op.pads([x.type])),
        dilations=op.dilation,
        group=op.groups,
    )
    return x.result(name, op.output([x.type]))


def conv_transpose2d(
    op: ConvTranspose2d, x: Tensor, weight: Weight, bias: Weight | None = None
) -> Tensor:
    x = x.channels_first
    name = x.graph.run(
        "ConvTranspose",
        *(x.name, weight.transposed(3, 2, 0, 1), *_plain(bias)),
        kernel_shape=op.kernel,
        strides=op.strides,
        pads=begins_and_ends(op.pads),
        dilations=op.dilation,
        output_padding=op.output_padding,
    )
    return x.result(name, op.output([x.type]))


def begins_and_ends(pads: tuple[Ends, ...]) -> list[int]:
    """[top, left, bottom, right] of ((top, bottom), (left, right))"""
    return list(chain.from_iterable(zip(*pads, strict=True)))


def _plain(bias: Weight | None) -> list[str]:
    return [bias.plain] if bias else []
