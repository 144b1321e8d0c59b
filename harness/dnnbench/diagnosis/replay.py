"""One candidate taken out of its network: a small workload on what the reference's feeds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..agreement.deviation import rms
from ..agreement.replay import Arrays, Replay
from ..protocol.batch import Batch
from ..spec.losses import Loss, Mse
from ..spec.model import Constant, Input, Model, Node
from ..spec.ops.combine import Add, Concat
from ..spec.optimizers import Optimizer, Sgd
from ..spec.weights import generator
from ..spec.workload import Task, Workload

SAMPLE = 64
"""Elements of each parameter that an optimizer is replayed on, of networks of more than MANY."""
MANY = 100_000


@dataclass(frozen=True)
class Shifted:
    """An input with zeros added to it, learned ones: their gradient is that of the input."""

    source: str
    offset: str


def shifted_inputs(model: Model) -> dict[str, Shifted]:
    """By node: every sum of an input and a constant, as a replay reads its float inputs."""
    inputs = {i.name for i in model.inputs}
    constants = {c.name for c in model.constants}
    shifted = {}
    for node in model.nodes:
        if isinstance(node.op, Add) and len(node.inputs) == 2:
            source, offset = node.inputs
            if source in inputs and offset in constants:
                shifted[node.name] = Shifted(source, offset)
    return shifted


def source_of(model: Model, name: str) -> str:
    """The input behind a shifted input or an offset; empty for any other name."""
    for shifted_name, shifted in shifted_inputs(model).items():
        if name in (shifted_name, shifted.offset):
            return shifted.source
    return ""


def node_alone(
    workload: Workload,
    node: Node,
    inputs: Sequence[Arrays],
    masks: Sequence[Arrays],
    weights: Arrays,
    steps: tuple[int, ...],
) -> Replay:
    """The node as a model of its own, trained by SGD on the squared distance from seeded targets.

    inputs: what it reads in each batch, by name. Zeros are added to every float input, as a learned
    constant `offset<i>` in a node `shifted<i>`: their gradient is that of the input.
    """
    model = _model_alone(workload, node)
    batches = []
    for k, (values, own_masks) in enumerate(zip(inputs, masks, strict=True)):
        read = {i.name: _plain(values[i.name]) for i in model.inputs}
        examples = len(values[model.inputs[0].name])
        batches.append(Batch(read, _targets(model, examples, k), dict(own_masks)))
    kept = {name: weights[name] for name in (*model.parameters, *model.state) if name in weights}
    return Replay(_workload(Mse(), Sgd(), model), tuple(batches), steps, kept)


def _model_alone(workload: Workload, node: Node) -> Model:
    """The node, behind a sum with an offset for each float input."""
    types = {name: workload.model.types[name] for name in dict.fromkeys(node.inputs)}
    batched = {name: t for name, t in types.items() if t.batched}
    inputs = [Input(name=name, shape=t.shape, dtype=t.kind) for name, t in batched.items()]
    learned = {name: t for name, t in types.items() if not t.batched}
    constants = [Constant(name=name, shape=t.shape) for name, t in learned.items()]
    sums, shifted = [], {}
    # A gradient with respect to the offset is the one with respect to the input.
    floats = [i for i in inputs if i.dtype == "float"]
    for k, source in enumerate(floats):
        constants.append(Constant(name=f"offset{k}", shape=source.shape))
        sums.append(Node(name=f"shifted{k}", op=Add(), inputs=(source.name, f"offset{k}")))
        shifted[source.name] = f"shifted{k}"
    read = tuple(shifted.get(name, name) for name in node.inputs)
    return Model(
        name="alone",
        inputs=tuple(inputs),
        constants=tuple(constants),
        nodes=(*sums, node.model_copy(update={"inputs": read})),
        outputs=(node.name,),
    )


def loss_alone(workload: Workload, logits: np.ndarray, targets: np.ndarray) -> Replay:
    """The workload's loss on what the reference's network gives it; `offset0` is added to that."""
    shape = workload.model.types[workload.model.outputs[0]].shape
    model = Model(
        name="loss_alone",
        inputs=(Input(name="logits", shape=shape),),
        constants=(Constant(name="offset0", shape=shape),),
        nodes=(Node(name="shifted0", op=Add(), inputs=("logits", "offset0")),),
        outputs=("shifted0",),
    )
    batch = Batch({"logits": _plain(logits)}, targets)
    return Replay(_workload(workload.task.loss, Sgd(), model), (batch,))


def optimizer_alone(
    optimizer: Optimizer,
    weights: Arrays,
    gradients: Arrays,
    steps: tuple[int, ...],
    built_from: Arrays,
    largest: int = MANY,
) -> Replay:
    """The optimizer on all parameters, flat, with the reference's gradients in the first step.

    For y = [x, p1, p2, ...] of M elements and targets y - g M / 2, the mean squared error
    has the gradients g. Of larger networks a sample of each parameter's elements moves,
    with gradients of the same norm as the whole's.

    built_from: as of a Replay
    """
    whole = sum(g.size for g in gradients.values())
    count = SAMPLE if whole > largest else whole
    p = {name: _plain(weights[name]).reshape(-1)[:count] for name in gradients}
    built = {name: _plain(built_from.get(name, weights[name])).reshape(-1)[:count] for name in p}
    g = {name: gradients[name].reshape(-1)[:count] for name in gradients}
    scale = norm_of(gradients) / max(norm_of(g), np.finfo(np.float64).tiny)
    m = 1 + sum(part.size for part in p.values())
    moved = [p[name] - scale * g[name] * m / 2 for name in p]
    targets = np.concatenate([np.zeros(1), *moved])
    model = Model(
        name="optimizer_alone",
        inputs=(Input(name="origin", shape=(1,)),),
        constants=tuple(Constant(name=name, shape=part.shape) for name, part in p.items()),
        nodes=(Node(name="joined", op=Concat(), inputs=("origin", *p)),),
        outputs=("joined",),
    )
    batch = Batch({"origin": np.zeros((1, 1), np.float32)}, _plain(targets[None]))
    return Replay(_workload(Mse(), optimizer, model), (batch,), steps, p, built)


def _workload(loss: Loss, optimizer: Optimizer, model: Model) -> Workload:
    metric: Literal["accuracy", "loss"] = "loss" if loss.prediction == "identity" else "accuracy"
    task = Task(loss=loss, optimizer=optimizer, metric=metric)
    return Workload(name=model.name, model=model, task=task, batch_size=4)


def _targets(model: Model, size: int, k: int) -> np.ndarray:
    draw = generator(k, f"replay:{model.outputs[0]}")
    return draw.standard_normal((size, *model.types[model.outputs[0]].shape), np.float32)


def _plain(values: np.ndarray) -> np.ndarray:
    """As a batch brings them: floats at float32's numbers, which every arm can be fed."""
    return np.asarray(values, np.float32) if values.dtype.kind == "f" else values


def norm_of(arrays: Mapping[str, np.ndarray]) -> float:
    """Of all arrays together."""
    return float(np.sqrt(sum(rms(a) ** 2 * a.size for a in arrays.values())))
