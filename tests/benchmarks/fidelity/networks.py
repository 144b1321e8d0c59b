"""The networks that are held against twins, at the size that is timed and at a small one."""

from collections.abc import Mapping
from dataclasses import dataclass

from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.model import Model
from dnnbench.spec.workload import Workload

Sizes = Mapping[str, int | float]
"""Arguments of a workload of the zoo, which are those of its twins as well."""
PHASES = ("infer", "train_step")


@dataclass(frozen=True)
class Network:
    """One of the zoo's.  timed, small: its sizes where time is taken, and where a test compares."""

    zoo: str
    timed: Sizes
    small: Sizes

    def written(self, sizes: Sizes) -> str:
        """As a user names the zoo's network of these sizes."""
        return f"{self.zoo}[{','.join(f'{name}={value}' for name, value in sizes.items())}]"

    def workload(self, sizes: Sizes) -> Workload:
        """The zoo's network of these sizes."""
        return find_workload(self.written(sizes))


NETWORKS = {
    "mlp": Network(
        "mlp",
        {"image": 13, "hidden": 211, "layers": 3, "classes": 11, "batch": 67},
        {"image": 3, "hidden": 7, "layers": 2, "classes": 5, "batch": 6},
    ),
    "resnet18": Network(
        "resnet18",
        {"image": 64, "batch": 8},
        {"image": 64, "width": 0.125, "classes": 10, "batch": 4},
    ),
    "mobilenet_v2": Network(
        "mobilenet_v2",
        {"image": 64, "batch": 8},
        {"image": 64, "width": 0.25, "depth": 0.5, "classes": 10, "batch": 4},
    ),
    "densenet121": Network(
        "densenet121",
        {"image": 64, "batch": 4},
        {"image": 64, "width": 0.25, "depth": 0.1, "classes": 10, "batch": 4},
    ),
    "bert_base": Network(
        "bert_base",
        {"layers": 2, "tokens": 64, "batch": 4},
        {"tokens": 8, "positions": 12, "vocabulary": 31, "layers": 1, "width": 8, "heads": 2,
         "batch": 4},
    ),
    "gpt2_small": Network(
        "gpt2_small",
        {"layers": 2, "tokens": 128, "batch": 2},
        {"tokens": 8, "positions": 12, "vocabulary": 31, "layers": 1, "width": 8, "heads": 2,
         "batch": 4},
    ),
    "lstm_lm": Network(
        "lstm_lm",
        {"units": 200, "dropout": 0.0},
        {"tokens": 6, "vocabulary": 31, "units": 8, "dropout": 0.0, "batch": 4},
    ),
    "gru_seq2seq": Network(
        "gru_seq2seq",
        {"tokens": 20, "vocabulary": 5000, "features": 128, "units": 256, "batch": 16},
        {"tokens": 5, "vocabulary": 13, "features": 6, "units": 8, "batch": 4},
    ),
}  # fmt: skip


HARDLY_AN_EPSILON = 1e-30


def plainly_trained(workload: Workload) -> Workload:
    """The workload whose optimizer adds next to nothing to a root, and lets weights decay only
    where that is apart from the gradient: what Keras's optimizers compute as dnnbench's do.
    """
    optimizer, update = workload.task.optimizer, {}
    if hasattr(optimizer, "epsilon"):
        update["epsilon"] = HARDLY_AN_EPSILON
    if optimizer.kind != "adamw":
        update["weight_decay"] = 0.0
    task = workload.task.model_copy(update={"optimizer": optimizer.model_copy(update=update)})
    return workload.model_copy(update={"task": task})


def unthinned(workload: Workload) -> Workload:
    """The workload with every rate of dropout 0: what two frameworks can compute alike without
    sharing a generator.
    """
    model = workload.model
    nodes = tuple(
        node.model_copy(update={"op": node.op.model_copy(update={"rate": 0.0})})
        if node.op.random
        else node
        for node in model.nodes
    )
    still = Model(**{**{name: getattr(model, name) for name in Model.model_fields}, "nodes": nodes})
    return workload.model_copy(update={"model": still})
