"""A network of the spec as a graph of ONNX operators, in inference."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..spec.model import Model, Node
from ..spec.tensor import TensorType
from ..spec.workload import Workload
from . import ops
from .graph import INT64, Graph
from .tensor import Tensor, Weight

PREDICTION = "prediction"
"""Name of the output that says what the network predicts; no tensor of a network has it."""


@dataclass(frozen=True)
class Port:
    """A tensor that goes in or comes out: N examples of a shape, in a type as NumPy names it."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Network:
    """A graph, what goes in, and what comes out: outputs, and the prediction if it is a class."""

    name: str
    graph: Graph
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def network(workload: Workload, weights: Mapping[str, np.ndarray], dtype: str) -> Network:
    """The workload in inference: random ops pass their input on, batch_norm reads its statistics.

    weights: every name of `model.parameters` and `model.state`, canonical layouts
    dtype: float32 or float64

    Tensors have the spec's shapes and names, with any number of examples. `prediction` is an output
    besides where the loss predicts a class: the index of the largest logit (argmax), or 1 for a
    logit above 0 (positive), in int64.
    """
    model = workload.model
    graph = Graph(np.dtype(dtype))
    graph.reserve([*model.types, PREDICTION])
    learned = {name: Weight(graph, name, np.asarray(a, dtype)) for name, a in weights.items()}
    values = _values(model, graph, learned)
    for name in model.outputs:
        graph.scope = name
        graph.publish(values[name].canonical.name, name)
    inputs = tuple(_port(i.name, i.type, dtype) for i in model.inputs)
    outputs = tuple(_port(name, model.types[name], dtype) for name in model.outputs)
    return Network(workload.name, graph, inputs, outputs + _prediction(workload, graph))


def _port(name: str, type: TensorType, dtype: str) -> Port:
    return Port(name, type.shape, dtype if type.kind == "float" else type.kind)


def _values(model: Model, graph: Graph, learned: Mapping[str, Weight]) -> dict[str, Tensor]:
    """What every node makes, by name."""
    values: dict[str, Tensor | Weight] = {c.name: learned[c.name] for c in model.constants}
    for source in model.inputs:
        axes = tuple(range(len(source.shape) + 1))
        values[source.name] = Tensor(graph, source.name, source.type, axes)
    for node in model.nodes:
        graph.scope = node.name
        values[node.name] = _written(model, node, [values[name] for name in node.inputs], learned)
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def _written(
    model: Model, node: Node, inputs: list[Tensor | Weight], learned: Mapping[str, Weight]
) -> Tensor | Weight:
    if node.op.random:
        return inputs[0]
    parameters, state = model.roles(node)
    own = {role: learned[name] for role, name in (parameters | state).items()}
    result: Tensor = getattr(ops, node.op.kind)(node.op, *inputs, **own)
    return result


def _prediction(workload: Workload, graph: Graph) -> tuple[Port, ...]:
    """The output that it adds; none where the prediction is the first output itself."""
    graph.scope = PREDICTION
    logits = workload.model.outputs[0]
    shape = workload.model.types[logits].shape
    match workload.task.loss.prediction:
        case "argmax":
            made, shape = graph.run("ArgMax", logits, axis=-1, keepdims=0), shape[:-1]
        case "positive":
            above = graph.run("Greater", logits, graph.constant(0.0))
            made = graph.run("Cast", above, to=INT64)
        case _:
            return ()
    graph.publish(made, PREDICTION)
    return (Port(PREDICTION, shape, "int64"),)
