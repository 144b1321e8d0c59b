"""The search for the first divergence: its steps one by one, in this process,
on the NumPy backend.
"""

import numpy as np
import pytest
from dnnbench.diagnosis.known_faults import UNKNOWN
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy import gradients, losses, ops, optimizers
from helpers.in_process import explained

# isort: split
from dnnbench_faults.cases import RARE, embedding_of_rare_ids

pytestmark = pytest.mark.slow


def wrong_op(kind, change):
    honest = getattr(ops, kind)
    return lambda patch: patch.setattr(ops, kind, lambda *a, **k: change(honest(*a, **k)))


def test_the_wrong_node_is_named_and_not_what_comes_after_it():
    explanation, replayer = explained("everything", wrong_op("sigmoid", lambda y: y * (1 + 6e-6)))
    assert (explanation.what, explanation.name, explanation.op, explanation.confirmed) == (
        "node",
        "sigmoid1",
        "sigmoid",
        True,
    )
    assert len(replayer.replayed) == 3, "the whole, and one candidate twice"
    assert "sigmoid1" in explanation.sentence
    assert "1.000006" in explanation.sentence


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


def other_epsilon(epsilon):
    """A layer norm with another epsilon than the op's 1e-5."""
    honest = ops.layer_norm

    def fault(op, *arguments, **named):
        return honest(op.model_copy(update={"epsilon": epsilon}), *arguments, **named)

    return lambda patch: patch.setattr(ops, "layer_norm", fault)


@pytest.mark.parametrize(("epsilon", "known"), [(1e-6, "epsilon 1e-06"), (1.0005e-6, UNKNOWN)])
def test_a_convention_is_named_where_it_gives_the_values_and_not_where_it_is_near(epsilon, known):
    explanation, _ = explained("layer_norm", other_epsilon(epsilon))
    assert (explanation.op, explanation.convention) == ("layer_norm", known)


def test_an_id_that_only_a_later_batch_holds_is_met():
    """The first batches are walked first, and do not hold it."""
    ids = [set(batch.inputs["ids"].ravel()) for batch in batches_of(embedding_of_rare_ids())]
    assert [RARE in of_batch for of_batch in ids[:4]] == [False, False, False, True]

    def plant(patch):
        honest = gradients.embedding

        def without(op, g, y, ids, weight):
            inputs, learned = honest(op, g, y, ids, weight=weight)
            kept = np.arange(len(weight))[:, None] != RARE
            return inputs, {"weight": learned["weight"] * kept}

        patch.setattr(gradients, "embedding", without)

    explanation, _ = explained("embedding_of_rare_ids", plant)
    assert (explanation.op, explanation.confirmed) == ("embedding", True)
    assert "taken for padding" in explanation.convention
