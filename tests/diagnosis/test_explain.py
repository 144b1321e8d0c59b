"""The search for the first divergence: its steps one by one, in this process,
on the NumPy backend.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from dnnbench.agreement.check import Agreement, check
from dnnbench.agreement.comparison import TensorComparison
from dnnbench.agreement.deviation import rmse
from dnnbench.agreement.keys import Group, TensorKey, gradient_of
from dnnbench.agreement.nodes import compare_nodes, observe_nodes, watched
from dnnbench.agreement.observing import observe
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.replay import Replay
from dnnbench.agreement.status import Status
from dnnbench.diagnosis.candidates import candidates
from dnnbench.diagnosis.conventions import CONVENTIONS, ReplayedPart, Variant
from dnnbench.diagnosis.explain import explain
from dnnbench.diagnosis.known_faults import UNKNOWN
from dnnbench.diagnosis.patterns import patterns
from dnnbench.diagnosis.replay import loss_alone, node_alone, optimizer_alone
from dnnbench.diagnosis.replayer import ReplayResult
from dnnbench.diagnosis.update_rules import RULES, Rule, trajectory_under
from dnnbench.diagnosis.wrong_tensor import WrongTensor
from dnnbench.protocol.arm import Arm
from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import Mse
from dnnbench.spec.ops import OPS
from dnnbench.spec.optimizers import Adam, AdamW, Momentum, Nesterov, Rmsprop, Sgd, WarmupCosine
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy import gradients, losses, ops, optimizers
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


class InProcess:
    """A replayer in this process: the fault stands only while the contender computes."""

    def __init__(self, plant, dtype="float64"):
        self._plant, self.dtype, self.replayed = plant, dtype, []

    def compare(self, replay):
        self.replayed.append(replay)
        reference = reference_of(replay, self.dtype)
        with pytest.MonkeyPatch.context() as patch:
            self._plant(patch)
            seen = values_of(replay, self.dtype)
        comparisons = compare_nodes(reference, seen, replay.workload, self.dtype)
        wrong = {c.key: seen[c.key] for c in comparisons if not c.ok}
        return ReplayResult(comparisons, wrong, reference.tensors)

    def compare_network(self, replay):
        result = self.compare(replay)
        return result.comparisons, result.reference

    def reference_values(self, replay):
        return values_of(replay)

    def rows(self, workload, batches):
        """What the check says of the contender."""
        plain = Replay(workload, tuple(batches))
        reference = make_reference(
            lambda m, kind: builder(plain, kind, m), workload, batches, STEPS, self.dtype
        )
        with pytest.MonkeyPatch.context() as patch:
            self._plant(patch)
            return check(
                builder(plain, self.dtype), workload, self.dtype, reference, batches, STEPS
            )


def explained(case, plant, dtype="float64"):
    workload, replayer = CASES[case](), InProcess(plant, dtype)
    batches = batches_of(workload)
    return explain(workload, batches, replayer.rows(workload, batches), 0, replayer), replayer


def wrong_op(kind, change):
    honest = getattr(ops, kind)
    return lambda patch: patch.setattr(ops, kind, lambda *a, **k: change(honest(*a, **k)))


# What is taken apart.


def test_watching_adds_outputs_and_changes_nothing_else():
    workload = CASES["everything"]()
    whole = watched(workload)
    assert whole.model.outputs[0] == workload.model.outputs[0]
    assert set(whole.model.outputs) == {node.name for node in workload.model.nodes}
    batches = batches_of(workload)[:1]
    plain = observe(builder(Replay(workload, ())), workload, batches, (1,), [Sgd()])
    seen = values_of(Replay(workload, tuple(batches)))
    alike = [key for key in plain if key.group is Group.GRADIENTS or key.phase is Phase.INFER]
    assert all(np.array_equal(plain[key], seen[key]) for key in alike if not key.optimizer)


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
    return optimizer_alone(optimizer, weights, gradients_there, (1, 2, 5), largest), gradients_there


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


# Which known fault it is.


def keys_of(replay, reference):
    """Tensors of the node itself that a convention may explain."""
    name = replay.workload.model.nodes[-1].name
    groups = (Group.GRADIENTS, Group.STATE)
    inputs = [key for key in reference if key.group is Group.COTANGENTS and key.name != name]
    learned = [key for key in reference if key.group in groups and not key.optimizer]
    own = [activation(name), key_of(f"infer/{name}"), key_of("loss")]
    return [*own, *(key for key in inputs if key.name.startswith("shifted")), *learned]


def stirred(replay):
    """The replay with weights in which nothing is zero, or one, or alike."""
    draw = np.random.default_rng(0)
    model = replay.workload.model
    arrays = {**model.parameters, **model.state}
    kept = {
        name: draw.uniform(0.5, 1.5, p.shape).astype("f4")
        for name, p in arrays.items()
        if not name.startswith("offset")
    }
    return replace(replay, weights=kept)


UNEVEN = {"padding": ((2, 0), (1, 1)), "strides": (1, 1)}
BESIDE_THE_CASES = {
    "conv1d": [
        (((6, 3),), {"filters": 2, "kernel": 3, "padding": (0, 2)}),
        (((6, 3),), {"filters": 2, "kernel": 2, "dilation": 2, "strides": 2, "padding": (1, 0)}),
    ],
    "conv2d": [(((6, 6, 3),), {"filters": 3, "kernel": (3, 3), **UNEVEN})],
    "conv_transpose2d": [(((3, 3, 4),), {"filters": 4, "kernel": (3, 3)})],
    "max_pool2d": [(((6, 6, 2),), {"window": (3, 3), **UNEVEN})],
    "avg_pool2d": [
        (((6, 6, 2),), {"window": (3, 3), **UNEVEN}),
        (((6, 6, 2),), {"window": (3, 3), "strides": (2, 2), "padding": ((0, 1), (0, 1))}),
    ],
    "matmul": [(((3, 3), (3, 3)), {})],
    "transpose": [(((3, 3, 3),), {"axes": (1, 2, 0)})],
}
"""(shapes of the inputs, attributes) of ops under which one more convention keeps the shape."""


def alone_with(kind, shapes, attributes):
    net = Builder("alone")
    read = [net.input(f"x{i}", shape) for i, shape in enumerate(shapes)]
    model = net.build(getattr(net, kind)(*read, name="tested", **attributes))
    workload = Workload(
        name="alone", model=model, task=Task(loss=Mse(), metric="loss"), batch_size=4
    )
    batch = batches_of(workload, count=1)[0]
    return node_alone(workload, model.nodes[0], [batch.inputs], [{}], initial_weights(model, 0), ())


@cache
def replays(kind):
    """Every case's replay of an op, or of a loss."""
    alone_ones = [alone_with(kind, *more) for more in BESIDE_THE_CASES.get(kind, ())]
    for case, build in CASES.items():
        workload = build()
        if case == "everything":
            continue
        if kind == workload.task.loss.kind:
            batch = batches_of(workload)[0]
            seen = values_of(Replay(workload, (batch,)))
            alone_ones.append(
                loss_alone(workload, seen[activation(workload.model.outputs[0])], batch.targets)
            )
        alone_ones += [
            alone(case, i) for i, node in enumerate(workload.model.nodes) if node.op.kind == kind
        ]
    return [(replay, values_of(replay)) for replay in map(stirred, alone_ones)]


def makes_a_difference(kind, convention):
    for replay, reference in replays(kind):
        weights = initial_weights(replay.workload.model, 0) | dict(replay.weights)
        for key in keys_of(replay, reference):
            answer = convention.apply(ReplayedPart(replay, key, reference, weights))
            if isinstance(answer, Variant):
                answer = answer.after(values_of(answer.replay)[key])
            if answer is None or answer.shape != reference[key].shape:
                continue
            if not np.allclose(answer, reference[key], rtol=1e-12):
                return True
    return False


@pytest.mark.parametrize("kind", CONVENTIONS)
def test_every_convention_differs_from_the_reference_somewhere(kind):
    """One that never does could not be named."""
    assert not [c.name for c in CONVENTIONS[kind] if not makes_a_difference(kind, c)]


def trajectory(rule, optimizer):
    replay, _ = moving(optimizer)
    flat, targets, place = replay.batches[0].targets[0].astype(np.float64), {}, 1
    for name, p in replay.weights.items():
        targets[name], place = flat[place : place + p.size], place + p.size
    return trajectory_under(
        rule, optimizer, dict(replay.weights), targets, flat.size, replay.steps
    ), values_of(replay)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.kind)
def test_the_rule_that_is_not_broken_is_the_reference(optimizer):
    under_rule, reference = trajectory(Rule("as it should be"), optimizer)
    assert len(under_rule) == 3 * 4 * (1 + len(optimizer.slots))
    assert all(rmse(under_rule[key], reference[key]) <= 1e-12 for key in under_rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_every_broken_rule_breaks_something(rule):
    differs = []
    for optimizer in OPTIMIZERS:
        under_rule, reference = trajectory(rule, optimizer)
        for key in under_rule or ():
            if not np.allclose(under_rule[key], reference[key], rtol=1e-9, atol=1e-12):
                differs.append(key)
    assert differs


R = np.random.default_rng(0).normal(size=(4, 4))


def with_one(place, value):
    changed = R.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("a", "words"),
    [
        (np.zeros_like(R), "left out"),
        (R.astype("f4").astype("f8"), "float32 inside float64"),
        (4 * R, "4, the number of examples"),
        (R / 4, "1/4, examples counted twice"),
        (-R, "its sign"),
        (0.7 * R, "multiplied by 0.7"),
        (with_one((1, 2), 9.0), "a single element"),
        (with_one((np.s_[:], 3), 9.0), "the last place of axis 1 alone"),
        (with_one((0, np.s_[:]), 9.0), "the first place of axis 0 alone"),
        (R.T, "transposed"),
        (R[::-1], "another order"),
        (R + 5, "that of twin"),
        (R[:2], "another shape"),
        (np.cos(R), UNKNOWN),
    ],
)
def test_patterns_of_errors(a, words):
    wrong = WrongTensor(gradient_of("p"), a, R, 1e6, "float64")
    assert words in next(patterns(wrong, 4, {gradient_of("twin"): R + 5}), UNKNOWN)


# Which parts are candidates.


def differing(optimizer, step):
    tensor = f"{optimizer}@{step}/weights/dense1.weight"
    return Agreement(f"weights@{step}", optimizer, tensor, 2.0, 1, "", Status.DIFFERS)


def names(case, *bad, rows=()):
    comparisons = {key_of(text): TensorComparison(key_of(text), 9.0) for text in bad}
    return [candidate.name for candidate in candidates(CASES[case](), comparisons, rows)]


def test_the_first_wrong_value_comes_first():
    assert names("conv2d_twice", "activations/conv2d2", "activations/relu1") == ["relu1", "conv2d2"]


def test_a_node_with_a_right_input_comes_before_one_with_a_wrong_one():
    bad = ("activations/dense1", "activations/tanh1", "activations/dense2")
    assert names("lstm_from_state", *bad) == ["dense1", "dense2", "tanh1"]


def test_backwards_the_last_node_that_made_a_wrong_gradient_comes_first():
    bad = ("cotangents/conv2d1", "gradients/conv2d1.weight", "cotangents/relu1")
    assert names("conv2d_twice", *bad) == ["conv2d2", "relu1", "conv2d1"]


def test_values_come_before_statistics_inference_loss_gradients_and_optimizers():
    rows = [differing("adam", 1)]
    bad = (
        "loss",
        "state/batch_norm1.mean",
        "infer/relu1",
        "activations/flat",
        "gradients/dense1.weight",
        "prediction",
    )
    order = ["flat", "batch_norm1", "relu1", "cross_entropy", "dense1", "adam"]
    assert names("batch_norm", *bad, rows=rows) == order


def test_what_comes_after_a_step_comes_last():
    rows = [differing("sgd", 5)]
    assert names("tanh", "momentum@1/then/activations/tanh1", rows=rows) == ["sgd", "tanh1"]


# What it says.


def test_the_wrong_node_is_named_and_not_what_comes_after_it():
    explanation, replayer = explained("everything", wrong_op("sigmoid", lambda y: y * (1 + 6e-6)))
    assert (explanation.what, explanation.name, explanation.op, explanation.confirmed) == (
        "node",
        "sigmoid1",
        "sigmoid",
        True,
    )
    assert len(replayer.replayed) == 2, "the whole, and one candidate"
    assert "sigmoid1" in explanation.sentence
    assert "1.00001" in explanation.sentence


def test_a_node_that_agrees_alone_is_passed_over_and_said_to_be_unconfirmed():
    """A fault that only shows beside other nodes confirms no candidate."""

    def plant(patch):
        dense, tanh, before = ops.dense, ops.tanh, []

        def remembered(*arguments, **named):
            before.append("dense")
            return dense(*arguments, **named)

        def wrong_after_dense(op, x):
            return tanh(op, x) * (1.01 if before else 1.0)

        patch.setattr(ops, "dense", remembered)
        patch.setattr(ops, "tanh", wrong_after_dense)

    explanation, _ = explained("tanh", plant)
    assert (explanation.name, explanation.confirmed) == ("tanh1", False)
    assert "not when it is replayed alone" in explanation.sentence


def test_a_phase_of_its_own_that_is_wrong_is_named_where_every_part_is_right():
    from dnnbench_numpy.program import NumpyProgram

    def plant(patch):
        honest = NumpyProgram.forward

        def off(self, batch):
            result = honest(self, batch)
            return result | {"outputs": {n: y * 1.01 for n, y in result["outputs"].items()}}

        patch.setattr(NumpyProgram, "forward", off)

    explanation, _ = explained("tanh", plant)
    assert (explanation.what, explanation.name) == ("phase", "forward")


def test_two_faults_name_the_first():
    def plant(patch):
        wrong_op("relu", lambda y: y * 1.001)(patch)
        wrong_op("softmax", lambda y: y * 1.001)(patch)

    explanation, _ = explained("everything", plant)
    assert explanation.name == "relu1"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_unknown_convention_is_said_to_be_unknown(dtype):
    explanation, _ = explained("tanh", wrong_op("tanh", lambda y: y + 0.01 * y * y), dtype)
    assert (explanation.name, explanation.convention) == ("tanh1", UNKNOWN)


def test_a_shape_and_a_crash_of_the_loss_are_told_as_they_are():
    explanation, _ = explained(
        "tanh", lambda patch: patch.setattr(losses, "argmax", lambda z: z.argmin(axis=-1))
    )
    assert (explanation.what, explanation.tensor) == ("prediction", "what it predicts")
    assert "another class" in explanation.reason


def test_an_optimizer_that_forgets_its_slots_is_named_with_the_parameter():
    def plant(patch):
        honest = optimizers.momentum

        def forgetful(optimizer, parameters, gradients_now, slots, t):
            honest(
                optimizer,
                parameters,
                gradients_now,
                {s: {n: a.copy() for n, a in kept.items()} for s, kept in slots.items()},
                t,
            )

        patch.setattr(optimizers, "momentum", forgetful)

    explanation, _ = explained("dense", plant)
    assert (explanation.what, explanation.name) == ("optimizer", "momentum")
    assert "dense1.weight" in explanation.tensor


def test_a_gradient_that_goes_wrong_after_a_step_is_named():
    def plant(patch):
        honest, met = gradients.tanh, set()

        def tired(op, g, y, x):
            met.add(y.tobytes())
            return honest(op, g * (1.0 if len(met) == 1 else 1.5), y, x)

        patch.setattr(gradients, "tanh", tired)

    explanation, _ = explained("tanh", plant)
    assert (explanation.name, explanation.confirmed) == ("tanh1", True)
    assert "after step 1" in explanation.tensor
