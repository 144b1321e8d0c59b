"""Networks and parts of them, replayed in this process on the NumPy backend."""

from functools import cache

from dnnbench.agreement.keys import Group, TensorKey, gradient_of
from dnnbench.agreement.nodes import observe_nodes
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.replay import Replay
from dnnbench.diagnosis.replay import node_alone, optimizer_alone
from dnnbench.protocol.arm import Arm
from dnnbench.spec.optimizers import Adam, AdamW, Momentum, Nesterov, Rmsprop, Sgd, WarmupCosine
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy.backend import NumpyBackend

STEPS = (1, 5)
key_of = TensorKey.parse


def builder(replay, dtype="float64", mode="eager"):
    weights = initial_weights(replay.workload.model, 0) | dict(replay.weights)
    return lambda variant: NumpyBackend().build(variant, weights, Arm("numpy", mode, dtype=dtype))


def reference_of(replay, dtype):
    """The reference of a replay in a type, node by node."""

    def build_in(mode, kind):
        return builder(replay, kind, mode)

    return make_reference(
        build_in, replay.workload, replay.batches, replay.steps, dtype, look=observe_nodes
    )


def values_of(replay, dtype="float64"):
    return observe_nodes(builder(replay, dtype), replay.workload, replay.batches, replay.steps)


def activation(node):
    return TensorKey(Group.ACTIVATIONS, node)


@cache
def alone(case, index, steps=()):
    """The node at an index of a case, replayed on what it read there."""
    workload = CASES[case]()
    weights, batches, node = (
        initial_weights(workload.model, 0),
        batches_of(workload)[:2],
        workload.model.nodes[index],
    )
    seen = [values_of(Replay(workload, (batch,))) for batch in batches]
    fed = [
        {
            n: {**weights, **b.inputs}[n] if n in {**weights, **b.inputs} else s[activation(n)]
            for n in node.inputs
        }
        for b, s in zip(batches, seen, strict=True)
    ]
    masks = [{n: m for n, m in b.masks.items() if n == node.name} for b in batches]
    return node_alone(workload, node, fed, masks, weights, steps)


OPTIMIZERS = (
    Sgd(weight_decay=0.1),
    Momentum(momentum=0.7, clip_norm=0.1, weight_decay=0.05),
    Nesterov(schedule=WarmupCosine(warmup=2, steps=4)),
    Rmsprop(decay=0.8, epsilon=1e-4),
    Adam(weight_decay=0.05, epsilon=1e-3),
    AdamW(clip_norm=0.3, schedule=WarmupCosine(steps=9, floor=0.1)),
)


def moving(optimizer, largest=100_000):
    workload = CASES["adam"]()
    weights = initial_weights(workload.model, 0)
    values = values_of(Replay(workload, tuple(batches_of(workload)[:1])))
    gradients_there = {name: values[gradient_of(name)] for name in weights}
    return optimizer_alone(
        optimizer, weights, gradients_there, (1, 2, 5), {}, largest
    ), gradients_there
