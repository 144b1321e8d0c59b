"""Ops that move, join and combine; learned constants."""

from ...spec.builder import Builder
from ...spec.tensor import Initializer
from .convolutions import image
from .registry import case

HALF = Initializer(kind="uniform", bound=0.5)


@case
def flatten(net: Builder) -> str:
    """The order H, W, C shows only where something with another layout feeds it."""
    return net.flatten(net.conv2d(image(net, (3, 4, 2)), filters=3, kernel=(2, 2)))


@case
def reshape_image_to_sequence(net: Builder) -> str:
    return net.dense(
        net.reshape(net.conv2d(image(net, (3, 4, 2)), filters=3, kernel=(2, 2)), shape=(4, 9)),
        units=2,
    )


@case
def reshape_sequence_to_image(net: Builder) -> str:
    x = net.reshape(net.dense(net.input("x", (4, 6)), units=6), shape=(2, 4, 3))
    return net.conv2d(x, filters=3, kernel=(2, 2))


@case
def transpose(net: Builder) -> str:
    return net.dense(
        net.transpose(net.dense(net.input("x", (3, 6)), units=4), axes=(1, 0)), units=2
    )


@case
def transpose_image(net: Builder) -> str:
    x = net.transpose(net.conv2d(image(net, (3, 4, 2)), filters=5, kernel=(2, 2)), axes=(2, 0, 1))
    return net.conv2d(x, filters=2, kernel=(1, 1))


@case
def slices(net: Builder) -> str:
    x = net.slice(net.conv2d(image(net), filters=4, kernel=(3, 3)), axis=-1, start=1, stop=3)
    return net.slice(net.slice(x, axis=0, start=2), axis=1, stop=5)


@case
def slice_of_a_sequence(net: Builder) -> str:
    return net.slice(net.dense(net.input("x", (5, 3)), units=4), start=4)


@case
def concat(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3))
    return net.concat(x, net.tanh(x), net.conv2d(x, filters=2, kernel=(1, 1)))


@case
def concat_of_rows(net: Builder) -> str:
    x = net.conv2d(image(net, (3, 4, 2)), filters=2, kernel=(2, 2))
    return net.concat(x, net.sigmoid(x), axis=0)


@case
def class_token(net: Builder) -> str:
    """A learned constant joined before a sequence, repeated for every example."""
    token = net.constant("token", (1, 4), HALF)
    return net.concat(token, net.dense(net.input("x", (3, 6)), units=4), axis=0)


@case
def mean(net: Builder) -> str:
    return net.mean(net.dense(net.input("x", (3, 6)), units=4), axes=(0,))


@case
def mean_of_channels(net: Builder) -> str:
    return net.mean(net.conv2d(image(net), filters=4, kernel=(3, 3)), axes=(0, -1))


@case
def add(net: Builder) -> str:
    x = net.relu(net.conv2d(image(net), filters=4, kernel=(3, 3)))
    return net.add(x, net.conv2d(x, filters=4, kernel=(3, 3)), x)


@case
def learned_constant(net: Builder) -> str:
    x = net.dense(net.input("x", (3, 6)), units=4)
    return net.add(x, net.constant("positions", (3, 4), HALF))


@case
def learned_constant_of_images(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3))
    return net.add(x, net.constant("offset", (7, 6, 4), HALF))


@case
def layer_scale(net: Builder) -> str:
    x = net.conv2d(image(net), filters=4, kernel=(3, 3))
    return net.mul(x, net.constant("scale", (4,), HALF))


@case
def squeeze_and_excite(net: Builder) -> str:
    """One gate a channel, stretched over the image."""
    x = net.conv2d(image(net), filters=4, kernel=(3, 3))
    gate = net.reshape(net.sigmoid(net.dense(net.global_avg_pool(x), units=4)), shape=(1, 1, 4))
    return net.mul(x, gate)


@case
def add_along_one_axis(net: Builder) -> str:
    x = net.dense(net.input("x", (3, 6)), units=4)
    row = net.constant("row", (3, 1), HALF)
    return net.add(x, net.slice(net.tanh(x), stop=1), row)


@case
def mul(net: Builder) -> str:
    x = net.dense(net.input("x", (3, 6)), units=4)
    return net.mul(x, net.tanh(x), x)
