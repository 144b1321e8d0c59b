"""Functions of one tensor, around their kinks too."""

from .registry import case


def hidden(net):
    return net.dense(net.input("x", (6,)), units=8)


def wide(net):
    """Values of several units: both saturated sides of a function are reached."""
    x = net.dense(net.input("x", (6,)), units=8)
    return net.add(x, x, x, x)


@case
def relu(net):
    return net.relu(hidden(net))


@case
def relu_at_zero(net):
    """Inputs that are zero for some examples: the derivative at 0 decides the bias
    gradient behind.
    """
    x = net.dense(net.input("zeroed", (6,)), units=8, name="before")
    return net.relu(net.dense(net.relu(x), units=8))


@case
def relu6(net):
    return net.relu6(wide(net))


@case
def relu6_at_zero(net):
    return net.relu6(net.dense(net.input("zeroed", (6,)), units=8))


@case
def leaky_relu(net):
    return net.leaky_relu(hidden(net), slope=0.2)


@case
def leaky_relu_at_zero(net):
    return net.leaky_relu(net.dense(net.input("zeroed", (6,)), units=8))


@case
def elu(net):
    return net.elu(hidden(net), alpha=0.7)


@case
def gelu(net):
    return net.gelu(hidden(net))


@case
def gelu_of_tanh(net):
    return net.gelu(hidden(net), approximation="tanh")


@case
def silu(net):
    return net.silu(hidden(net))


@case
def hardswish(net):
    return net.hardswish(wide(net))


@case
def sigmoid(net):
    return net.sigmoid(hidden(net))


@case
def tanh(net):
    return net.tanh(hidden(net))


@case
def softmax(net):
    return net.softmax(hidden(net))


@case
def softmax_of_sequences(net):
    return net.softmax(net.dense(net.input("x", (3, 6)), units=4))


@case
def softmax_of_images(net):
    return net.softmax(net.conv2d(net.input("image", (4, 3, 2)), filters=4, kernel=(2, 2)))
