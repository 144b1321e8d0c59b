"""Images through a narrow waist and back.   Source: Hinton & Salakhutdinov 2006, Science 313."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Digits, Synthetic
from dnnbench.spec.losses import Mse
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.workload import Task, Workload
from pydantic import PositiveInt

from .images import Source

TINY = {"image": 8, "hidden": 128, "code": 16, "batch": 32, "data": "digits"}


def autoencoder(
    image: PositiveInt = 28,
    hidden: PositiveInt = 1000,
    code: PositiveInt = 30,
    batch: PositiveInt = 128,
    data: Source = "synthetic",
) -> Workload:
    """Autoencoder of dense layers: 784-1000-500-250-30 and back."""
    net = Builder("autoencoder")
    widths = (hidden, hidden // 2, hidden // 4)
    x = net.input("image", (image * image,))
    for i, units in enumerate(widths, start=1):
        x = net.relu(net.dense(x, units=units, name=f"encode{i}"))
    x = net.dense(x, units=code, name="code")
    for i, units in enumerate(reversed(widths), start=1):
        x = net.relu(net.dense(x, units=units, name=f"decode{i}"))
    model = net.build(net.sigmoid(net.dense(x, units=image * image, name="pixels")))
    real = data == "digits"
    examples = Digits(size=image, target="image") if real else Synthetic(examples=2 * batch)
    target = 0.012 if real else None
    optimizer = Adam(learning_rate=3e-3)
    task = Task(loss=Mse(), optimizer=optimizer, data=examples, metric="loss", target=target)
    return Workload(name="autoencoder", model=model, task=task, batch_size=batch)
