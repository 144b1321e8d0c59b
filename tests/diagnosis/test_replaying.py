"""Parts of a network replayed alone, from what they read in it."""

import numpy as np
import pytest
from dnnbench.agreement.deviation import rmse
from dnnbench.agreement.keys import Group, gradient_of
from dnnbench.agreement.nodes import compare_nodes, watched
from dnnbench.agreement.observing import observe
from dnnbench.agreement.replay import Replay
from dnnbench.diagnosis.replay import loss_alone
from dnnbench.spec.ops import OPS
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.phases import Phase
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.replaying import (
    OPTIMIZERS,
    activation,
    alone,
    builder,
    key_of,
    moving,
    reference_of,
    values_of,
)

pytestmark = pytest.mark.slow


def test_watching_adds_outputs_and_changes_nothing_else():
    workload = CASES["everything"]()
    whole = watched(workload)
    assert whole.model.outputs[0] == workload.model.outputs[0]
    assert set(whole.model.outputs) == {node.name for node in workload.model.nodes}
    batches = batches_of(workload)[:1]
    plain = observe(builder(Replay(workload, ())), workload, batches, (1,), [Sgd()])
    seen = values_of(Replay(workload, tuple(batches)))
    as_given = [key for key in plain if not key.far and key.group is not Group.PARTS]
    at_start = [key for key in as_given if not key.optimizer]
    alike = [key for key in at_start if key.group is Group.GRADIENTS or key.phase is Phase.INFER]
    assert all(np.array_equal(plain[key], seen[key]) for key in alike)


def place_of(kind):
    """(a case, the place of an op of that kind in it)"""
    return next(
        (case, i)
        for case, build in CASES.items()
        for i, node in enumerate(build().model.nodes)
        if node.op.kind == kind and case != "everything"
    )


@pytest.mark.parametrize("kind", OPS)
def test_every_op_can_be_replayed_alone_and_is_not_wrong_for_nothing(kind):
    replay = alone(*place_of(kind), steps=(1,))
    floats = [i for i in replay.workload.model.inputs if i.dtype == "float"]
    for dtype in ("float64", "float32"):
        reference = reference_of(replay, dtype)
        offsets = [gradient_of(f"offset{k}") for k in range(len(floats))]
        assert reference.tensors.keys() >= set(offsets)
        assert any(
            np.any(r) for key, r in reference.tensors.items() if key.group is Group.GRADIENTS
        )
        comparisons = compare_nodes(reference, values_of(replay, dtype), replay.workload, dtype)
        assert not [c for c in comparisons if not c.ok]


def test_an_input_that_is_read_twice_is_shifted_once():
    replay = alone("relu6", 1)
    assert [c.name for c in replay.workload.model.constants] == ["offset0"]
    assert set(replay.workload.model.nodes[-1].inputs) == {"shifted0"}


def test_a_loss_alone_gives_the_loss_and_gradient_it_gave_in_its_network():
    workload = CASES["cross_entropy_ignoring"]()
    batches = batches_of(workload)
    seen = values_of(Replay(workload, tuple(batches[:1])))
    values = values_of(loss_alone(workload, seen[activation("logits")], batches[0].targets))
    loss, cotangent = key_of("loss"), key_of("cotangents/logits")
    assert abs(values[loss] - seen[loss]) < 1e-6
    assert rmse(values[key_of("cotangents/shifted0")], seen[cotangent]) < 1e-7


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.kind)
def test_an_optimizer_alone_is_given_the_networks_gradients(optimizer):
    replay, gradients_there = moving(optimizer)
    values = values_of(replay)
    for name, g in gradients_there.items():
        assert rmse(values[gradient_of(name)], g.reshape(-1)) < 1e-6 * np.abs(g).max()


def norm_of(arrays):
    return sum(np.sum(array**2) for array in arrays) ** 0.5


def test_a_sample_of_a_large_network_has_gradients_of_the_whole_ones_norm():
    replay, gradients_there = moving(Sgd(), largest=10)
    values = values_of(replay)
    replayed = [values[gradient_of(name)] for name in gradients_there]
    norms = [norm_of(replayed), norm_of(gradients_there.values())]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)
    assert max(p.size for p in replay.weights.values()) <= 64
