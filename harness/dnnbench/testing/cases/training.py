"""Losses and optimizers, on a small multilayer perceptron each."""

from ...spec.builder import Builder
from ...spec.losses import BceWithLogits, CrossEntropy, Loss, Mse
from ...spec.optimizers import (
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    Rmsprop,
    Sgd,
    WarmupCosine,
)
from ...spec.workload import Task, Workload
from .registry import CASES, CLASSES


def _trained_by(
    name: str, optimizer: Optimizer, loss: Loss | None = None, shape: tuple[int, ...] = (6,)
) -> None:
    def workload() -> Workload:
        net = Builder(name)
        x = net.tanh(net.dense(net.input("x", shape), units=8))
        model = net.build(net.dense(x, units=CLASSES, name="logits"))
        score = loss or CrossEntropy()
        metric = "loss" if score.prediction == "identity" else "accuracy"
        return Workload(
            name=name,
            model=model,
            task=Task(loss=score, optimizer=optimizer, metric=metric),
            batch_size=4,
        )

    CASES[name] = workload


_trained_by("sgd", Sgd(learning_rate=0.2))
_trained_by("sgd_with_decay", Sgd(learning_rate=0.2, weight_decay=0.1))
_trained_by("momentum", Momentum(learning_rate=0.1, momentum=0.7))
_trained_by("momentum_with_decay", Momentum(learning_rate=0.1, momentum=0.7, weight_decay=0.05))
_trained_by("nesterov", Nesterov(learning_rate=0.1, momentum=0.7))
_trained_by("nesterov_with_decay", Nesterov(learning_rate=0.1, momentum=0.7, weight_decay=0.05))
_trained_by("rmsprop", Rmsprop(learning_rate=0.01, decay=0.8, epsilon=1e-3))
_trained_by(
    "rmsprop_with_decay", Rmsprop(learning_rate=0.01, decay=0.8, epsilon=1e-3, weight_decay=0.05)
)
_trained_by("adam", Adam(learning_rate=0.01, beta1=0.8, beta2=0.95, epsilon=1e-3))
_trained_by("adam_with_decay", Adam(learning_rate=0.01, weight_decay=0.05))
_trained_by("adamw", AdamW(learning_rate=0.01, weight_decay=0.1))
_trained_by("clipped", Momentum(learning_rate=0.2, clip_norm=0.1, weight_decay=0.05))
_trained_by("clipped_beyond_the_norm", Sgd(learning_rate=0.2, clip_norm=100))
_trained_by(
    "adamw_clipped_on_a_schedule",
    AdamW(clip_norm=0.5, schedule=WarmupCosine(warmup=2, steps=4, floor=0.1)),
)
_trained_by("sgd_on_a_schedule", Sgd(learning_rate=0.2, schedule=WarmupCosine(warmup=3, steps=10)))
_trained_by("cross_entropy_smoothed", Sgd(), CrossEntropy(smoothing=0.1))
_trained_by("cross_entropy_of_sequences", Sgd(), CrossEntropy(), (3, 6))
_trained_by("cross_entropy_ignoring", Sgd(), CrossEntropy(ignored=-1, smoothing=0.2), (3, 6))
_trained_by("bce_with_logits", Sgd(), BceWithLogits())
_trained_by("mse", Sgd(learning_rate=0.1), Mse())


MANY_STEPS = {"adam_of_many_steps": (1, 40, 300)}
"""Cases that are trained on beyond a count of 8 bits, and after which steps they are looked at."""
_trained_by("adam_of_many_steps", Adam(learning_rate=0.003))


def _of_equal_logits(name: str, loss: Loss) -> None:
    """Logits of every other example are 0 throughout: the first of equal ones is predicted, and 0
    is not positive.
    """

    def workload() -> Workload:
        net = Builder(name)
        x = net.dense(net.tanh(net.dense(net.input("x", (6,)), units=8)), units=CLASSES)
        model = net.build(net.mul(x, net.input("zeroed", (CLASSES,)), name="logits"))
        return Workload(name=name, model=model, task=Task(loss=loss, optimizer=Sgd()), batch_size=4)

    CASES[name] = workload


_of_equal_logits("cross_entropy_of_equal_logits", CrossEntropy())
_of_equal_logits("bce_of_zero_logits", BceWithLogits())


def _of_large_logits(name: str, loss: Loss, classes: int) -> None:
    """Logits around +-1000, or apart by as much; more classes than a byte counts where they may."""

    def workload() -> Workload:
        net = Builder(name)
        x = net.dense(net.tanh(net.dense(net.input("x", (6,)), units=8)), units=classes)
        model = net.build(net.add(x, net.input("large", (classes,)), name="logits"))
        return Workload(name=name, model=model, task=Task(loss=loss, optimizer=Sgd()), batch_size=4)

    CASES[name] = workload


_of_large_logits("cross_entropy_of_large_logits", CrossEntropy(), 300)
_of_large_logits("cross_entropy_smoothed_of_large_logits", CrossEntropy(smoothing=0.1), CLASSES)
_of_large_logits("bce_of_large_logits", BceWithLogits(), CLASSES)


def _image_labels() -> Workload:
    """A label for every pixel, as in segmentation."""
    net = Builder("cross_entropy_of_images")
    model = net.build(
        net.conv2d(net.input("image", (4, 3, 2)), filters=CLASSES, kernel=(3, 3), name="logits")
    )
    task = Task(loss=CrossEntropy(ignored=-1), optimizer=Sgd())
    return Workload(name="cross_entropy_of_images", model=model, task=task, batch_size=4)


CASES["cross_entropy_of_images"] = _image_labels
