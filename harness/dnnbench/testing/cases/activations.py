"""Functions of one tensor, around their kinks too."""

from ...spec.builder import Builder
from .registry import case


def hidden(net: Builder) -> str:
    return net.dense(net.input("x", (6,)), units=8)


def wide(net: Builder) -> str:
    """Values of several units: both saturated sides of a function are reached."""
    x = net.dense(net.input("x", (6,)), units=8)
    return net.add(x, x, x, x)


@case
def relu(net: Builder) -> str:
    return net.relu(hidden(net))


@case
def relu_at_zero(net: Builder) -> str:
    """Inputs that are zero for some examples: the derivative at 0 decides the bias
    gradient behind.
    """
    x = net.dense(net.input("zeroed", (6,)), units=8, name="before")
    return net.relu(net.dense(net.relu(x), units=8))


@case
def relu6(net: Builder) -> str:
    return net.relu6(wide(net))


@case
def relu6_at_zero(net: Builder) -> str:
    return net.relu6(net.dense(net.input("zeroed", (6,)), units=8))


@case
def leaky_relu(net: Builder) -> str:
    return net.leaky_relu(hidden(net), slope=0.2)


@case
def leaky_relu_at_zero(net: Builder) -> str:
    return net.leaky_relu(net.dense(net.input("zeroed", (6,)), units=8))


@case
def elu(net: Builder) -> str:
    return net.elu(hidden(net), alpha=0.7)


@case
def gelu(net: Builder) -> str:
    return net.gelu(hidden(net))


@case
def gelu_of_tanh(net: Builder) -> str:
    return net.gelu(hidden(net), approximation="tanh")


@case
def silu(net: Builder) -> str:
    return net.silu(hidden(net))


@case
def hardswish(net: Builder) -> str:
    return net.hardswish(wide(net))


@case
def sigmoid(net: Builder) -> str:
    return net.sigmoid(hidden(net))


@case
def tanh(net: Builder) -> str:
    return net.tanh(hidden(net))


@case
def softmax(net: Builder) -> str:
    return net.softmax(hidden(net))


@case
def softmax_of_sequences(net: Builder) -> str:
    return net.softmax(net.dense(net.input("x", (3, 6)), units=4))


@case
def softmax_of_images(net: Builder) -> str:
    return net.softmax(net.conv2d(net.input("image", (4, 3, 2)), filters=4, kernel=(2, 2)))
