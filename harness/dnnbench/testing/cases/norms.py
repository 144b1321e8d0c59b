"""Normalisations and random thinning."""

from ...spec.builder import Builder
from .convolutions import image
from .registry import case


@case
def batch_norm(net: Builder) -> str:
    return net.relu(net.batch_norm(net.dense(net.input("x", (6,)), units=8, bias=False)))


@case
def batch_norm_of_images(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3), bias=False)
    return net.relu(net.batch_norm(x, epsilon=1e-3, momentum=0.8))


@case
def batch_norm_unbiased(net: Builder) -> str:
    return net.relu(
        net.batch_norm(net.dense(net.input("x", (3, 6)), units=4, bias=False), unbiased=True)
    )


@case
def batch_norm_far_from_zero(net: Builder) -> str:
    """As `layer_norm_far_from_zero`, of a channel's mean over the batch and its places."""
    return net.batch_norm(net.add(net.input("x", (2, 4, 8)), net.input("far", (2, 4, 8))))


@case
def layer_norm(net: Builder) -> str:
    return net.layer_norm(net.dense(net.input("x", (3, 6)), units=8))


@case
def layer_norm_of_images(net: Builder) -> str:
    return net.relu(net.layer_norm(net.conv2d(image(net), filters=4, kernel=(3, 3)), epsilon=1e-3))


@case
def layer_norm_far_from_zero(net: Builder) -> str:
    """A mean 256 times the deviation: a variance in one pass, mean x^2 - (mean x)^2,
    loses its digits here.

    No parameter stands before it: these sums are exact in float64, in whatever order,
    and the squares are not.
    """
    return net.layer_norm(net.add(net.input("x", (8,)), net.input("far", (8,))))


@case
def layer_norm_of_far_inputs(net: Builder) -> str:
    """What it reads has 8 bits in bfloat16, and a mean beyond them: means of 8 bits are far off."""
    return net.layer_norm(net.input("far", (64,)))


@case
def rms_norm(net: Builder) -> str:
    return net.rms_norm(net.dense(net.input("x", (3, 6)), units=8))


@case
def rms_norm_of_images(net: Builder) -> str:
    return net.rms_norm(net.conv2d(image(net), filters=4, kernel=(3, 3)), epsilon=1e-2)


@case
def rms_norm_far_from_zero(net: Builder) -> str:
    """No mean is taken away: what lies far stays far."""
    return net.rms_norm(net.add(net.input("x", (8,)), net.input("far", (8,))))


@case
def group_norm(net: Builder) -> str:
    return net.group_norm(net.conv2d(image(net), filters=6, kernel=(3, 3)), groups=3)


@case
def group_norm_of_sequences(net: Builder) -> str:
    return net.group_norm(net.dense(net.input("x", (3, 6)), units=8), groups=2, epsilon=1e-3)


@case
def group_norm_far_from_zero(net: Builder) -> str:
    """As `layer_norm_far_from_zero`, of a group's mean:
    PyTorch's kernel for channels_last images takes one pass.
    """
    return net.group_norm(net.add(net.input("x", (2, 4, 8)), net.input("far", (2, 4, 8))), groups=2)


@case
def group_norm_of_sequences_far_from_zero(net: Builder) -> str:
    """As `layer_norm_far_from_zero`, of a group's mean over places."""
    return net.group_norm(net.add(net.input("x", (4, 8)), net.input("far", (4, 8))), groups=4)


@case
def dropout(net: Builder) -> str:
    return net.dropout(net.dense(net.input("x", (6,)), units=16), rate=0.3)


@case
def dropout_of_images(net: Builder) -> str:
    return net.dropout(net.conv2d(image(net), filters=4, kernel=(3, 3)), rate=0.5)


@case
def stochastic_depth(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3))
    return net.add(x, net.stochastic_depth(net.tanh(x), rate=0.4))
