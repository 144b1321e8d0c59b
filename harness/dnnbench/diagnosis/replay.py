"""One suspect taken out of its network: a small workload that feeds it what the reference fed it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ..agreement.observing import Tensors
from ..agreement.reference import rms
from ..protocol.batch import Batch
from ..spec.losses import Mse
from ..spec.model import Constant, Input, Model, Node
from ..spec.ops import Add, Concat
from ..spec.optimizers import Optimizer, Sgd
from ..spec.weights import generator
from ..spec.workload import Task, Workload

SAMPLE = 64
"""Elements of each parameter that an optimizer is replayed on, where a network has more than MANY."""
MANY = 100_000


@dataclass(frozen=True)
class Replay:
    """A workload and what it is fed; `weights` stand in for initial ones of the same name."""

    workload: Workload
    batches: tuple[Batch, ...]
    steps: tuple[int, ...] = ()
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)

    def to_json(self) -> dict:
        """Plain data and arrays for a message."""
        return {
            "workload": self.workload.model_dump(mode="json"),
            "batches": [asdict(batch) for batch in self.batches],
            "steps": list(self.steps),
            "weights": dict(self.weights),
        }

    @classmethod
    def from_json(cls, data: dict) -> "Replay":
        workload = Workload.model_validate(data["workload"])
        batches = tuple(Batch(**parts) for parts in data["batches"])
        return cls(workload, batches, tuple(data["steps"]), data["weights"])


def node_alone(
    workload: Workload,
    node: Node,
    fed: Sequence[Tensors],
    masks: Sequence[Tensors],
    weights: Tensors,
    steps: tuple[int, ...],
) -> Replay:
    """The node as a model of its own, trained by SGD on the mean squared distance from seeded targets.

    fed: what its inputs were in each batch, by name. Zeros are added to every float input, as a learned constant
    `lift<i>` in a node `lifted<i>`: their gradient is that of the input.
    """
    types = {name: workload.model.types[name] for name in dict.fromkeys(node.inputs)}
    inputs = [Input(name=name, shape=t.shape, dtype=t.kind) for name, t in types.items() if t.batched]
    constants = [Constant(name=name, shape=t.shape) for name, t in types.items() if not t.batched]
    lifted = [i for i in inputs if i.dtype == "float"]
    read = {i.name: f"lifted{k}" for k, i in enumerate(lifted)}
    nodes = [Node(name=read[i.name], op=Add(), inputs=(i.name, f"lift{k}")) for k, i in enumerate(lifted)]
    model = Model(
        name="alone",
        inputs=inputs,
        constants=[*constants, *(Constant(name=f"lift{k}", shape=i.shape) for k, i in enumerate(lifted))],
        nodes=[*nodes, node.model_copy(update={"inputs": tuple(read.get(name, name) for name in node.inputs)})],
        outputs=[node.name],
    )
    batches = [
        Batch({i.name: _plain(values[i.name]) for i in inputs}, _targets(model, len(values[inputs[0].name]), k), own)
        for k, (values, own) in enumerate(zip(fed, masks, strict=True))
    ]
    kept = {name: weights[name] for name in (*model.parameters, *model.state) if name in weights}
    return Replay(_judged_by(Mse(), Sgd(), model), tuple(batches), steps, kept)


def loss_alone(workload: Workload, logits: np.ndarray, targets: np.ndarray) -> Replay:
    """The workload's loss on what the reference's network gave it; `lift0` is added to that."""
    shape = workload.model.types[workload.model.outputs[0]].shape
    model = Model(
        name="loss_alone",
        inputs=[Input(name="logits", shape=shape)],
        constants=[Constant(name="lift0", shape=shape)],
        nodes=[Node(name="lifted0", op=Add(), inputs=("logits", "lift0"))],
        outputs=["lifted0"],
    )
    return Replay(_judged_by(workload.task.loss, Sgd(), model), (Batch({"logits": _plain(logits)}, targets),))


def optimizer_alone(
    optimizer: Optimizer, weights: Tensors, gradients: Tensors, steps: tuple[int, ...], largest: int = MANY
) -> Replay:
    """The optimizer on all parameters, flat, with the reference's gradients in the first step.

    For y = [x, p1, p2, ...] of M elements and targets y - g M / 2, the mean squared error has the gradients g. Of larger
    networks a sample of each parameter's elements moves, with gradients of the same norm as the whole's.
    """
    whole = sum(g.size for g in gradients.values())
    count = SAMPLE if whole > largest else whole
    p = {name: _plain(weights[name]).reshape(-1)[:count] for name in gradients}
    g = {name: gradients[name].reshape(-1)[:count] for name in gradients}
    scale = _norm(gradients.values()) / max(_norm(g.values()), np.finfo(np.float64).tiny)
    m = 1 + sum(part.size for part in p.values())
    targets = np.concatenate([[0.0], *(p[name] - scale * g[name] * m / 2 for name in p)])
    model = Model(
        name="optimizer_alone",
        inputs=[Input(name="origin", shape=(1,))],
        constants=[Constant(name=name, shape=part.shape) for name, part in p.items()],
        nodes=[Node(name="joined", op=Concat(), inputs=("origin", *p))],
        outputs=["joined"],
    )
    batch = Batch({"origin": np.zeros((1, 1), np.float32)}, _plain(targets[None]))
    return Replay(_judged_by(Mse(), optimizer, model), (batch,), steps, p)


def _judged_by(loss, optimizer: Optimizer, model: Model) -> Workload:
    metric = "loss" if loss.prediction == "identity" else "accuracy"
    return Workload(
        name=model.name, model=model, task=Task(loss=loss, optimizer=optimizer, metric=metric), batch_size=4
    )


def _targets(model: Model, size: int, k: int) -> np.ndarray:
    draw = generator(k, f"replay:{model.outputs[0]}")
    return draw.standard_normal((size, *model.types[model.outputs[0]].shape), np.float32)


def _plain(values: np.ndarray) -> np.ndarray:
    """As a batch brings them: floats at float32's numbers, which the reference and the suspect can both be given."""
    return np.asarray(values, np.float32) if values.dtype.kind == "f" else values


def _norm(arrays: Iterable[np.ndarray]) -> float:
    return float(np.sqrt(sum(rms(a) ** 2 * a.size for a in arrays)))
