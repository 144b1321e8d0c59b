"""Convolutions: padding, strides, dilation, groups, and their transposes."""

from ...spec.builder import Builder
from .registry import case


def image(net: Builder, size: tuple[int, ...] = (7, 6, 3)) -> str:
    return net.input("image", size)


@case
def conv1d_same_strided(net: Builder) -> str:
    return net.conv1d(net.input("x", (8, 3)), filters=4, kernel=3, strides=2)


@case
def conv1d_uneven_padding(net: Builder) -> str:
    return net.conv1d(net.input("x", (7, 3)), filters=4, kernel=3, padding=(2, 0), dilation=2)


@case
def conv1d_grouped(net: Builder) -> str:
    x = net.conv1d(net.input("x", (7, 3)), filters=4, kernel=2, padding="valid")
    return net.conv1d(x, filters=6, kernel=3, groups=2, bias=False)


@case
def conv2d_same(net: Builder) -> str:
    return net.conv2d(image(net), filters=4, kernel=(3, 2))


@case
def conv2d_valid_without_bias(net: Builder) -> str:
    return net.conv2d(image(net), filters=4, kernel=(3, 3), padding="valid", bias=False)


@case
def conv2d_same_strided(net: Builder) -> str:
    """Same padding with stride 2 on an even size pads more after than before."""
    return net.conv2d(image(net, (8, 6, 3)), filters=4, kernel=(3, 3), strides=(2, 2))


@case
def conv2d_symmetric_strided(net: Builder) -> str:
    """torchvision's padding: one on each side."""
    x = net.conv2d(
        image(net, (8, 6, 3)), filters=4, kernel=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1))
    )
    return net.conv2d(x, filters=3, kernel=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))


@case
def conv2d_uneven_padding(net: Builder) -> str:
    return net.conv2d(
        image(net), filters=4, kernel=(3, 3), strides=(2, 1), padding=((2, 0), (0, 1))
    )


@case
def conv2d_dilated(net: Builder) -> str:
    return net.conv2d(image(net), filters=4, kernel=(2, 2), dilation=(2, 3), padding="valid")


@case
def conv2d_dilated_same(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3), dilation=(2, 2))
    return net.conv2d(x, filters=3, kernel=(3, 2), dilation=(2, 1), padding=((2, 2), (1, 0)))


@case
def conv2d_grouped(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3))
    return net.conv2d(x, filters=6, kernel=(3, 3), strides=(2, 1), groups=2)


@case
def conv2d_depthwise(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(1, 1))
    return net.conv2d(
        x, filters=4, kernel=(3, 3), strides=(2, 2), groups=4, padding=((1, 1), (1, 1)), bias=False
    )


@case
def conv2d_depthwise_multiplied(net: Builder) -> str:
    """Two filters a channel: which of them comes first is a convention."""
    x = net.conv2d(image(net), filters=3, kernel=(1, 1))
    return net.conv2d(x, filters=6, kernel=(3, 3), groups=3)


@case
def conv2d_grouped_dilated(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(1, 1))
    return net.conv2d(x, filters=4, kernel=(2, 2), groups=2, dilation=(2, 2))


@case
def conv2d_twice(net: Builder) -> str:
    x = net.relu(net.conv2d(image(net), filters=4, kernel=(3, 3)))
    return net.conv2d(x, filters=5, kernel=(3, 3), strides=(2, 2))


@case
def conv_transpose2d(net: Builder) -> str:
    x = net.conv2d(image(net, (4, 3, 2)), filters=3, kernel=(2, 2))
    return net.conv_transpose2d(x, filters=4, kernel=(2, 2), strides=(2, 2))


@case
def conv_transpose2d_overlapping(net: Builder) -> str:
    """Kernel 3, stride 2, uneven cuts and an extra row: where frameworks' SAME differs."""
    x = net.conv2d(image(net, (4, 3, 2)), filters=3, kernel=(2, 2))
    cut = ((1, 0), (0, 1))
    return net.conv_transpose2d(
        x, filters=4, kernel=(3, 3), strides=(2, 2), padding=cut, output_padding=(1, 0), bias=False
    )


@case
def conv_transpose2d_dilated(net: Builder) -> str:
    x = net.conv2d(image(net, (4, 3, 2)), filters=3, kernel=(2, 2))
    return net.conv_transpose2d(
        x, filters=2, kernel=(2, 3), strides=(1, 2), dilation=(2, 1), padding=((1, 1), (1, 0))
    )
