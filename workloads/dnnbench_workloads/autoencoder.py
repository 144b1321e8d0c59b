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
    net, waist = Builder("autoencoder"), (hidden, hidden // 2, hidden // 4)
    x = net.input("image", (image * image,))
    for i, units in enumerate(waist, start=1):
        x = net.relu(net.dense(x, units=units, name=f"encode{i}"))
    x = net.dense(x, units=code, name="code")
    for i, units in enumerate(reversed(waist), start=1):
        x = net.relu(net.dense(x, units=units, name=f"decode{i}"))
    model = net.build(net.sigmoid(net.dense(x, units=image * image, name="pixels")))
    task = Task(
        loss=Mse(),
        optimizer=Adam(learning_rate=3e-3),
        data=Digits(size=image, target="image") if data == "digits" else Synthetic(examples=2 * batch),
        metric="loss",
        target=0.012 if data == "digits" else None,
    )
    return Workload(name="autoencoder", model=model, task=task, batch_size=batch)
