"""The code of each op in mode `plain`: as `ops` has it, but for convolutions in groups."""

from dnnbench.scripts.values import call

from . import ops
from .ops import *  # noqa: F403


def conv1d(op, x, weight, bias=None):
    if op.groups == 1:
        return ops.conv1d(op, x, weight, bias)
    return _in_groups(op, x, weight, bias, (op.strides,), (op.pads([x.type]),), (op.dilation,))


def conv2d(op, x, weight, bias=None):
    if op.groups == 1:
        return ops.conv2d(op, x, weight, bias)
    return _in_groups(op, x, weight, bias, op.strides, op.pads([x.type]), op.dilation)


def _in_groups(op, x, weight, bias, strides, pads, dilation):
    code = call("conv_in_groups", x, weight, strides, pads, dilation, op.groups)
    return code if bias is None else f"{code} + {bias}"
