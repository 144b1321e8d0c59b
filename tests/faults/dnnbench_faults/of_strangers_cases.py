"""Networks that strangers' faults show in, beside those of the kit."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import CrossEntropy
from dnnbench.spec.optimizers import AdamW, Momentum
from dnnbench.spec.workload import Task, Workload

CLASSES = 5


def _workload(net, tested, optimizer=None):
    logits = net.dense(net.flatten(tested, name="flat"), units=CLASSES, name="logits")
    task = Task(loss=CrossEntropy(), optimizer=optimizer or Momentum(learning_rate=0.05))
    return Workload(name=net.name, model=net.build(logits, tested), task=task, batch_size=4)


def two_dropouts():
    """Of one shape and rate, one behind the other."""
    net = _Named("two_dropouts")
    x = net.dropout(net.dense(net.input("x", (6,)), units=16), rate=0.4)
    return _workload(net, net.dropout(net.tanh(net.dense(x, units=16)), rate=0.4))


def padded_pool_of_large():
    """Images of -1000 throughout, and padding beside them."""
    net = _Named("padded_pool_of_large")
    x = net.input("image_large", (5, 5, 2))
    return _workload(
        net, net.max_pool2d(x, window=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
    )


def gelu_of_some_size():
    """Elements a few deviations from 0, where gelu is nearly x or nearly 0."""
    net = _Named("gelu_of_some_size")
    x = net.dense(net.input("x", (6,)), units=32)
    return _workload(net, net.gelu(net.add(x, x, x)))


def decayed_norm():
    """Scales and biases under AdamW, whose decay is for every parameter."""
    net = _Named("decayed_norm")
    x = net.layer_norm(net.dense(net.input("x", (6,)), units=8))
    return _workload(net, net.tanh(x), AdamW(learning_rate=0.01, weight_decay=0.1))


class _Named(Builder):
    """A builder that tells its network's name."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name


CASES = {
    build.__name__: build
    for build in (two_dropouts, padded_pool_of_large, gelu_of_some_size, decayed_norm)
}
