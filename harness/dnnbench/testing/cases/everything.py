"""Networks of many ops at once."""

from ...spec.builder import Builder
from ...spec.workload import Task, Workload
from .convolutions import image
from .registry import CASES, CLASSES, case


@case
def everything(net: Builder) -> str:
    """State, random thinning, shared and constant parameters in one small image network:
    what the laws are asked on.
    """
    strided = {"filters": 4, "kernel": (3, 3), "strides": (2, 1), "bias": False}
    x = net.relu(net.batch_norm(net.conv2d(image(net, (9, 8, 2)), **strided)))
    x = net.add(x, net.conv2d(x, filters=4, kernel=(2, 2)), net.constant("offset", (5, 8, 4)))
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2), padding=((1, 1), (0, 1)))
    x = net.sigmoid(net.avg_pool2d(x, window=(2, 2), strides=(1, 1), padding=((0, 1), (1, 0))))
    pooled = net.global_avg_pool(x)
    x = net.tanh(net.dense(net.flatten(net.dropout(x, rate=0.3)), units=4))
    return net.softmax(net.add(x, pooled))


def _two_outputs() -> Workload:
    net = Builder("two_outputs")
    hidden = net.tanh(net.conv2d(image(net), filters=4, kernel=(3, 3)), name="hidden")
    model = net.build(net.dense(net.flatten(hidden), units=CLASSES, name="logits"), hidden)
    return Workload(name="two_outputs", model=model, task=Task(target=None), batch_size=4)


CASES["two_outputs"] = _two_outputs


def weighty() -> Workload:
    """Eight million weights (32 MiB in float32) and little else; not among the cases."""
    net = Builder("weighty")
    x = net.relu(net.dense(net.input("x", (2048,)), units=4096))
    return Workload(
        name="weighty", model=net.build(net.dense(x, units=CLASSES, name="logits")), batch_size=4
    )


def heavy() -> Workload:
    """Enough work in a step (about a gigaflop) for its duration to show; not among the cases."""
    net = Builder("heavy")
    x = net.relu(net.dense(net.input("x", (1024,)), units=1024))
    model = net.build(net.dense(net.relu(net.dense(x, units=1024)), units=CLASSES, name="logits"))
    return Workload(name="heavy", model=model, batch_size=64)


def thinned() -> Workload:
    """Many elements and rows for masks to keep or to drop; not among the cases."""
    net = Builder("thinned")
    x = net.input("x", (1024,))
    x = net.add(net.dropout(x, rate=0.5), net.dropout(x, rate=0.5))
    x = net.stochastic_depth(x, rate=0.4)
    model = net.build(net.dense(x, units=CLASSES, name="logits"))
    return Workload(name="thinned", model=model, batch_size=64)
