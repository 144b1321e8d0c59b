"""Known faults: each convention and rule differs from the reference, and errors have patterns."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from dnnbench.agreement.deviation import rmse
from dnnbench.agreement.keys import Group, gradient_of
from dnnbench.agreement.replay import Replay
from dnnbench.diagnosis.conventions import CONVENTIONS, ReplayedPart, Variant
from dnnbench.diagnosis.known_faults import UNKNOWN
from dnnbench.diagnosis.patterns import patterns
from dnnbench.diagnosis.replay import loss_alone, node_alone
from dnnbench.diagnosis.update_rules import RULES, Rule, trajectory_under
from dnnbench.diagnosis.wrong_tensor import Room, WrongTensor
from dnnbench.protocol.rounding import rounded
from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import Mse
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.replaying import OPTIMIZERS, activation, alone, key_of, moving, values_of

pytestmark = pytest.mark.slow


def keys_of(replay, reference):
    """Tensors of the node itself that a convention may explain."""
    name = replay.workload.model.nodes[-1].name
    groups = (Group.GRADIENTS, Group.STATE)
    inputs = [key for key in reference if key.group is Group.COTANGENTS and key.name != name]
    learned = [key for key in reference if key.group in groups and not key.optimizer]
    own = [activation(name), key_of(f"infer/{name}"), key_of("loss"), key_of("prediction")]
    wanted = [*own, *(key for key in inputs if key.name.startswith("shifted")), *learned]
    return [key for key in wanted if key in reference]


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
        (((6, 4),), {"filters": 4, "kernel": 3, "groups": 2}),
        (((6, 3),), {"filters": 2, "kernel": 3, "padding": (0, 2)}),
        (((6, 3),), {"filters": 2, "kernel": 2, "dilation": 2, "strides": 2, "padding": (1, 0)}),
    ],
    "conv2d": [
        (((6, 6, 3),), {"filters": 3, "kernel": (3, 3), **UNEVEN}),
        (((6, 6, 3),), {"filters": 3, "kernel": (3, 3), "dilation": (2, 1)}),
    ],
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


def of_predictions():
    """Losses alone, on logits that are alike and on others."""
    for case in ("dense", "bce_with_logits"):
        workload = CASES[case]()
        batch = batches_of(workload)[0]
        shape = batch.size, *workload.model.types[workload.model.outputs[0]].shape
        for logits in (np.zeros(shape), np.random.default_rng(0).normal(size=shape)):
            yield loss_alone(workload, logits, batch.targets)


@cache
def replays(kind):
    """Every case's replay of an op, or of a loss."""
    if kind == "prediction":
        return [(replay, values_of(replay)) for replay in of_predictions()]
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
    zeros_and_ones = {n: np.arange(p.size) % 2 for n, p in replay.weights.items()}
    return trajectory_under(
        rule, optimizer, dict(replay.weights), targets, flat.size, replay.steps, zeros_and_ones
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


EXACT, SINGLE = Room(1e-14, 1e-13), Room(1e-6, 1e-5)


def with_one(place, value):
    changed = R.copy()
    changed[place] = value
    return changed


def test_no_lower_type_is_blamed_where_the_right_numbers_are_of_it_too():
    right = R.astype("f4")
    next_to_it = np.nextafter(right, np.float32(np.inf))
    wrong = WrongTensor(gradient_of("p"), next_to_it, right, EXACT, "float64")
    assert "float32 inside float64" not in list(patterns(wrong, 4, {}))


def test_of_a_single_number_only_a_short_factor_says_something():
    def said(a):
        wrong = WrongTensor(gradient_of("p"), np.array(a), np.array(0.7), EXACT, "float64", SINGLE)
        return next(patterns(wrong, 4, {}), UNKNOWN)

    assert said(0.35) == "multiplied by 0.5"
    assert said(0.7 * 0.0855002591577) == UNKNOWN


@pytest.mark.parametrize(
    ("a", "words"),
    [
        (np.zeros_like(R), "left out"),
        (R.astype("f4").astype("f8"), "float32 inside float64"),
        (np.random.default_rng(1).normal(R, 1e-8), "float32 inside float64"),
        (rounded(R.astype("f4"), "bfloat16"), "8 bits"),
        (rounded(R.astype("f4"), "tf32"), "11 bits"),
        (R * (1 + 1e-7), "multiplied by 1.0000001"),
        (R + 1e-7 * R * np.abs(R), UNKNOWN),
        (0.99995 * R + 1e-9, UNKNOWN),
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
    wrong = WrongTensor(gradient_of("p"), a, R, EXACT, "float64", SINGLE)
    assert words in next(patterns(wrong, 4, {gradient_of("twin"): R + 5}), UNKNOWN)
