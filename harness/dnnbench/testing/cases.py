"""Small networks, at least one for each op, loss and optimizer, where a wrong convention shows."""

from collections.abc import Callable

import numpy as np

from ..protocol.batch import Batch
from ..spec.builder import Builder
from ..spec.losses import CrossEntropy, Mse
from ..spec.ops import OPS
from ..spec.optimizers import Adam, Momentum, Sgd
from ..spec.tensor import Initializer
from ..spec.weights import generator
from ..spec.workload import Task, Workload

CLASSES = 5
CASES: dict[str, Callable[[], Workload]] = {}


def case(build: Callable[[Builder], str]) -> Callable[[], Workload]:
    """Register a network: `build` adds nodes to a Builder and returns the node whose value becomes the logits."""

    def workload() -> Workload:
        net = Builder(build.__name__)
        model = net.build(net.dense(build(net), units=CLASSES, name="logits"))
        task = Task(loss=CrossEntropy(), optimizer=Momentum(learning_rate=0.05), target=None)
        return Workload(name=build.__name__, model=model, task=task, batch_size=4)

    CASES[build.__name__] = workload
    return workload


def _image(net: Builder, size=(7, 6, 3)) -> str:
    return net.input("image", size)


@case
def dense(net):
    return net.dense(net.input("x", (6,)), units=8)


@case
def dense_without_bias(net):
    return net.dense(net.input("x", (6,)), units=8, bias=False)


@case
def dense_on_sequences(net):
    return net.flatten(net.dense(net.input("x", (3, 6)), units=4))


@case
def conv2d_same(net):
    return net.flatten(net.conv2d(_image(net), filters=4, kernel=(3, 2)))


@case
def conv2d_valid_without_bias(net):
    return net.flatten(net.conv2d(_image(net), filters=4, kernel=(3, 3), padding="valid", bias=False))


@case
def conv2d_same_strided(net):
    """Same padding with stride 2 on an even size pads more after than before."""
    return net.flatten(net.conv2d(_image(net, (8, 6, 3)), filters=4, kernel=(3, 3), strides=(2, 2)))


@case
def conv2d_uneven_padding(net):
    return net.flatten(net.conv2d(_image(net), filters=4, kernel=(3, 3), strides=(2, 1), padding=((2, 0), (0, 1))))


@case
def conv2d_dilated(net):
    return net.flatten(net.conv2d(_image(net), filters=4, kernel=(2, 2), dilation=(2, 3), padding="valid"))


@case
def conv2d_twice(net):
    x = net.relu(net.conv2d(_image(net), filters=4, kernel=(3, 3)))
    return net.flatten(net.conv2d(x, filters=5, kernel=(3, 3), strides=(2, 2)))


@case
def max_pool2d(net):
    return net.flatten(net.max_pool2d(net.conv2d(_image(net), filters=4, kernel=(3, 3)), window=(2, 2)))


@case
def max_pool2d_overlapping(net):
    x = net.conv2d(_image(net), filters=4, kernel=(3, 3))
    return net.flatten(net.max_pool2d(x, window=(3, 3), strides=(2, 2), padding=((1, 1), (0, 1))))


@case
def max_pool2d_same(net):
    x = net.conv2d(_image(net), filters=4, kernel=(3, 3))
    return net.flatten(net.max_pool2d(x, window=(3, 2), strides=(2, 2), padding="same"))


@case
def max_pool2d_tied(net):
    """Every window of a relu's zeros, and a bias before the relu that makes many pixels equal."""
    x = net.conv2d(net.input("image", (6, 6, 1)), filters=2, kernel=(1, 1), name="flat")
    x = net.max_pool2d(net.relu(x), window=(2, 2))
    return net.flatten(net.conv2d(x, filters=3, kernel=(2, 2)))


@case
def avg_pool2d(net):
    return net.flatten(net.avg_pool2d(net.conv2d(_image(net), filters=4, kernel=(3, 3)), window=(2, 3)))


@case
def avg_pool2d_padded(net):
    x = net.conv2d(_image(net), filters=4, kernel=(3, 3))
    return net.flatten(net.avg_pool2d(x, window=(3, 3), strides=(2, 2), padding=((1, 0), (1, 1))))


@case
def avg_pool2d_counting_padding(net):
    x = net.conv2d(_image(net), filters=4, kernel=(3, 3))
    x = net.avg_pool2d(x, window=(3, 3), strides=(2, 2), padding=((1, 0), (1, 1)), count_include_pad=True)
    return net.flatten(x)


@case
def global_avg_pool(net):
    return net.global_avg_pool(net.conv2d(_image(net), filters=4, kernel=(3, 3)))


@case
def flatten(net):
    """The order H, W, C shows only where something with another layout feeds it."""
    return net.flatten(net.conv2d(_image(net, (3, 4, 2)), filters=3, kernel=(2, 2)))


@case
def relu(net):
    return net.relu(net.dense(net.input("x", (6,)), units=8))


@case
def relu_at_zero(net):
    """A dense without bias on inputs that are zero for some examples: the derivative at 0 decides the bias gradient behind."""
    x = net.dense(net.input("zeroed", (6,)), units=8, name="before")
    return net.relu(net.dense(net.relu(x), units=8))


@case
def sigmoid(net):
    return net.sigmoid(net.dense(net.input("x", (6,)), units=8))


@case
def tanh(net):
    return net.tanh(net.dense(net.input("x", (6,)), units=8))


@case
def softmax(net):
    return net.softmax(net.dense(net.input("x", (6,)), units=8))


@case
def softmax_of_sequences(net):
    return net.flatten(net.softmax(net.dense(net.input("x", (3, 6)), units=4)))


@case
def add(net):
    x = net.relu(net.conv2d(_image(net), filters=4, kernel=(3, 3)))
    return net.global_avg_pool(net.add(x, net.conv2d(x, filters=4, kernel=(3, 3)), x))


@case
def dropout(net):
    return net.dropout(net.dense(net.input("x", (6,)), units=16), rate=0.3)


@case
def dropout_of_images(net):
    return net.flatten(net.dropout(net.conv2d(_image(net), filters=4, kernel=(3, 3)), rate=0.5))


@case
def batch_norm(net):
    return net.relu(net.batch_norm(net.dense(net.input("x", (6,)), units=8, bias=False)))


@case
def batch_norm_of_images(net):
    x = net.batch_norm(net.conv2d(_image(net), filters=4, kernel=(3, 3), bias=False), epsilon=1e-3, momentum=0.8)
    return net.flatten(net.relu(x))


@case
def learned_constant(net):
    x = net.dense(net.input("x", (3, 6)), units=4)
    return net.flatten(net.add(x, net.constant("positions", (3, 4), Initializer(kind="uniform", bound=0.5))))


@case
def learned_constant_of_images(net):
    x = net.conv2d(_image(net), filters=4, kernel=(3, 3))
    return net.flatten(net.add(x, net.constant("offset", (7, 6, 4), Initializer(kind="uniform", bound=0.5))))


@case
def shared_weights(net):
    x = net.tanh(net.dense(net.input("x", (6,)), units=6, name="first"))
    return net.dense(x, units=6, name="second", share={"weight": "first.weight"})


@case
def two_inputs(net):
    x = net.dense(net.input("x", (6,)), units=8)
    return net.relu(net.add(x, net.dense(net.input("y", (5,)), units=8)))


@case
def everything(net):
    """Every op in one network: what a slow compiler is asked instead of the other cases."""
    x = net.relu(
        net.batch_norm(net.conv2d(_image(net, (9, 8, 2)), filters=4, kernel=(3, 3), strides=(2, 1), bias=False))
    )
    x = net.add(x, net.conv2d(x, filters=4, kernel=(2, 2)), net.constant("offset", (5, 8, 4)))
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2), padding=((1, 1), (0, 1)))
    x = net.sigmoid(net.avg_pool2d(x, window=(2, 2), strides=(1, 1), padding=((0, 1), (1, 0))))
    pooled = net.global_avg_pool(x)
    x = net.tanh(net.dense(net.flatten(net.dropout(x, rate=0.3)), units=4))
    return net.softmax(net.add(x, pooled))


def _trained_by(name: str, optimizer, loss=None) -> None:
    def workload() -> Workload:
        net = Builder(name)
        x = net.relu(net.dense(net.input("x", (6,)), units=8))
        model = net.build(net.dense(x, units=CLASSES, name="logits"))
        loss_of = loss or CrossEntropy()
        metric = "accuracy" if loss_of.prediction == "argmax" else "loss"
        return Workload(
            name=name, model=model, task=Task(loss=loss_of, optimizer=optimizer, metric=metric), batch_size=4
        )

    CASES[name] = workload


_trained_by("sgd", Sgd(learning_rate=0.2))
_trained_by("momentum", Momentum(learning_rate=0.1, momentum=0.7))
_trained_by("adam", Adam(learning_rate=0.01, beta1=0.8, beta2=0.95, epsilon=1e-3))
_trained_by("mse", Sgd(learning_rate=0.1), Mse())


def _two_outputs() -> Workload:
    net = Builder("two_outputs")
    hidden = net.tanh(net.conv2d(_image(net), filters=4, kernel=(3, 3)), name="hidden")
    model = net.build(net.dense(net.flatten(hidden), units=CLASSES, name="logits"), hidden)
    return Workload(name="two_outputs", model=model, task=Task(target=None), batch_size=4)


CASES["two_outputs"] = _two_outputs


def heavy() -> Workload:
    """Enough work in a step (about a gigaflop) for its duration to show; not among the cases."""
    net = Builder("heavy")
    x = net.relu(net.dense(net.input("x", (1024,)), units=1024))
    model = net.build(net.dense(net.relu(net.dense(x, units=1024)), units=CLASSES, name="logits"))
    return Workload(name="heavy", model=model, batch_size=64)


def batches_of(workload: Workload, count: int = 5, size: int = 4, seed: int = 0) -> list[Batch]:
    """Seeded batches: normal inputs (an input called `zeroed` has rows of zeros, one-channel images have two levels)."""
    return [_batch_of(workload, size, f"{workload.name}.{i}", seed) for i in range(count)]


def _batch_of(workload: Workload, size: int, name: str, seed: int) -> Batch:
    draw = generator(seed, name)
    inputs = {i.name: draw.normal(size=(size, *i.shape)).astype(np.float32) for i in workload.model.inputs}
    for key, array in inputs.items():
        if key == "zeroed":
            array[::2] = 0
        if array.shape[-1] == 1:
            inputs[key] = np.sign(array)
    target = workload.target
    shape = (size, *target.shape)
    targets = draw.integers(0, CLASSES, shape).astype(np.int32) if target.kind == "int32" else draw.normal(size=shape)
    masks = {
        n.name: (draw.random((size, *workload.model.types[n.name].shape)) >= n.op.rate).astype(np.float32)
        for n in workload.model.nodes
        if n.op.random
    }
    return Batch(inputs, targets.astype(np.int32 if target.kind == "int32" else np.float32), masks)


def ops_covered() -> set[str]:
    """Kinds of op that the cases use; a test compares them with the spec's."""
    return {node.op.kind for build in CASES.values() for node in build().model.nodes}


def missing_ops() -> set[str]:
    """Ops of the spec that no case uses."""
    return set(OPS) - ops_covered()
