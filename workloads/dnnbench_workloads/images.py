"""What the image networks share: sizes, padding, a normalised convolution, and their task."""

from typing import Literal

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Digits, Synthetic
from dnnbench.spec.losses import CrossEntropy, Loss
from dnnbench.spec.optimizers import Optimizer
from dnnbench.spec.workload import Task, Workload

Source = Literal["synthetic", "digits"]
"""Made-up images of any size, or real digits enlarged (the size a multiple of 8)."""
SYNTHETIC_BATCHES = 2


def scaled(channels: int, width: float) -> int:
    """Channels times `width`, the nearest multiple of 8 that keeps at least 90 % of that.

    Source: Howard et al. 2017, arXiv 1704.04861, and its reference code.
    """
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels * width else rounded + 8


def fewer(blocks: int, depth: float) -> int:
    """Blocks of a stage times `depth`, but two where the stage has two."""
    return min(blocks, max(2, round(blocks * depth)))


def around(n: int):
    """The same padding on every side of an image."""
    return (n, n), (n, n)


def conv(
    net: Builder, x: str, name: str, filters: int, kernel: int, stride: int = 1, **attributes
) -> str:
    """A square convolution that keeps the image's size but for the stride, as torchvision pads it
    (odd kernels).
    """
    sides = {
        "kernel": (kernel, kernel),
        "strides": (stride, stride),
        "padding": around(kernel // 2),
    }
    return net.conv2d(x, name=name, filters=filters, **(sides | attributes))


def conv_norm(
    net: Builder, x: str, name: str, filters: int, kernel: int, stride: int = 1, groups: int = 1
) -> str:
    """A convolution without bias and the batch norm behind it."""
    x = conv(net, x, name, filters, kernel, stride, groups=groups, bias=False)
    return net.batch_norm(x, name=f"{name}.norm")


def classifier(
    net: Builder,
    logits: str,
    data: Source,
    batch: int,
    optimizer: Optimizer,
    target: float,
    loss: Loss | None = None,
) -> Workload:
    """The network from its one image input to `logits`, trained on `data` to that accuracy
    on the digits' test part.
    """
    model = net.build(logits)
    size, _, channels = model.inputs[0].shape
    loss = loss or CrossEntropy()
    if data == "digits":
        digits = Digits(size=size, channels=channels)
        task = Task(loss=loss, optimizer=optimizer, data=digits, target=target)
    else:
        made_up = Synthetic(examples=SYNTHETIC_BATCHES * batch)
        task = Task(loss=loss, optimizer=optimizer, data=made_up)
    return Workload(name=model.name, model=model, task=task, batch_size=batch)
