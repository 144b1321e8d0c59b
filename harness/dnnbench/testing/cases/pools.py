"""Pools: windows, padding, ties, whole images."""

from ...spec.builder import Builder
from .convolutions import image
from .registry import case


def convolved(net: Builder, size: tuple[int, ...] = (7, 6, 3)) -> str:
    return net.conv2d(image(net, size), filters=4, kernel=(3, 3))


@case
def max_pool2d(net: Builder) -> str:
    return net.max_pool2d(convolved(net), window=(2, 2))


@case
def max_pool2d_overlapping(net: Builder) -> str:
    return net.max_pool2d(convolved(net), window=(3, 3), strides=(2, 2), padding=((1, 1), (0, 1)))


@case
def max_pool2d_same(net: Builder) -> str:
    return net.max_pool2d(convolved(net), window=(3, 2), strides=(2, 2), padding="same")


def equal_pixels(net: Builder, size: tuple[int, ...]) -> str:
    """Two levels, to which a learned offset of zeros is added:
    a gradient of its own for every pixel tells who got it.
    """
    return net.add(net.input("image", size), net.constant("offset", size))


@case
def max_pool2d_tied(net: Builder) -> str:
    """Windows whose largest element is there twice or more."""
    return net.max_pool2d(equal_pixels(net, (6, 6, 1)), window=(2, 2))


@case
def avg_pool2d(net: Builder) -> str:
    return net.avg_pool2d(convolved(net), window=(2, 3))


@case
def avg_pool2d_padded(net: Builder) -> str:
    return net.avg_pool2d(convolved(net), window=(3, 3), strides=(2, 2), padding=((1, 0), (1, 1)))


@case
def avg_pool2d_counting_padding(net: Builder) -> str:
    uneven = ((1, 0), (1, 1))
    return net.avg_pool2d(
        convolved(net), window=(3, 3), strides=(2, 2), padding=uneven, count_include_pad=True
    )


@case
def global_avg_pool(net: Builder) -> str:
    return net.global_avg_pool(convolved(net))


@case
def global_max_pool(net: Builder) -> str:
    return net.global_max_pool(convolved(net))


@case
def global_max_pool_tied(net: Builder) -> str:
    """Channels whose largest pixel is there many times."""
    return net.global_max_pool(equal_pixels(net, (4, 4, 1)))


@case
def adaptive_avg_pool2d(net: Builder) -> str:
    """Seven places in three windows overlap; six in four too."""
    return net.adaptive_avg_pool2d(convolved(net), size=(3, 4))


@case
def adaptive_avg_pool2d_growing(net: Builder) -> str:
    return net.adaptive_avg_pool2d(convolved(net, (3, 4, 2)), size=(5, 2))
