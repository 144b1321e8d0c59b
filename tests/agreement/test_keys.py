"""Keys of tensors: their text is read back as the same key, and no other text is read at all."""

import numpy as np
import pytest
from dnnbench.agreement.keys import (
    GROUPS,
    NAMELESS,
    Group,
    TensorKey,
    as_texts,
    from_texts,
    keyed,
    outputs_of,
    slots_keyed,
)
from dnnbench.spec.optimizers import Adam, AdamW, Momentum, Nesterov, Rmsprop, Sgd
from dnnbench.spec.phases import Phase
from dnnbench.spec.tensor import Name
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

OPTIMIZERS = [
    kind.model_fields["kind"].default for kind in (Sgd, Momentum, Nesterov, Rmsprop, Adam, AdamW)
]
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,79}", fullmatch=True)
"""Every name that a model may use, words of keys among them."""
WORDS = st.sampled_from([*Group, *Phase, "then"])


@st.composite
def keys(draw):
    phase = draw(st.sampled_from(list(GROUPS)))
    group = draw(st.sampled_from(sorted(GROUPS[phase])))
    name = "" if group in NAMELESS else draw(NAMES | WORDS)
    slot = draw(st.sampled_from(["velocity", "first_moment"])) if group is Group.SLOTS else ""
    trained = phase is Phase.TRAIN_STEP or (
        phase in (Phase.INFER, Phase.GRADIENTS) and draw(st.booleans())
    )
    optimizer = draw(st.sampled_from(OPTIMIZERS)) if trained else ""
    step = draw(st.integers(0, 1000)) if trained else 0
    start = "" if trained else draw(st.sampled_from(["", "far", "initial"]))
    return TensorKey(
        group, name, phase, optimizer, step, slot, far=start == "far", initial=start == "initial"
    )


@given(keys())
def test_a_key_is_read_back_from_its_text(key):
    assert TensorKey.parse(str(key)) == key


@given(keys(), keys())
def test_two_keys_have_two_texts(one, other):
    assert (str(one) == str(other)) is (one == other)


@given(st.text() | st.lists(NAMES | WORDS | st.just("adam@5")).map("/".join))
def test_a_text_is_read_as_the_key_that_writes_it_or_refused(text):
    try:
        key = TensorKey.parse(text)
    except ValueError:
        return
    assert str(key) == text


@given(NAMES)
def test_the_names_here_are_those_of_the_spec(name):
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("infer/logits", TensorKey(Group.OUTPUTS, "logits", Phase.INFER)),
        ("prediction", TensorKey(Group.PREDICTION, phase=Phase.INFER)),
        ("forward/state/bn.mean", TensorKey(Group.STATE, "bn.mean", Phase.FORWARD)),
        ("loss/loss", TensorKey(Group.LOSS, phase=Phase.LOSS)),
        ("loss", TensorKey(Group.LOSS)),
        ("gradients/fc.bias", TensorKey(Group.GRADIENTS, "fc.bias")),
        (
            "adam@5/weights/fc.bias",
            TensorKey(Group.WEIGHTS, "fc.bias", Phase.TRAIN_STEP, "adam", 5),
        ),
        ("adam@5/loss", TensorKey(Group.LOSS, "", Phase.TRAIN_STEP, "adam", 5)),
        (
            "adam@5/outputs/fc",
            TensorKey(Group.OUTPUTS, "fc", Phase.TRAIN_STEP, "adam", 5),
        ),
        ("adam@5/infer/fc", TensorKey(Group.OUTPUTS, "fc", Phase.INFER, "adam", 5)),
        ("adam@1/then/loss", TensorKey(Group.LOSS, "", Phase.GRADIENTS, "adam", 1)),
        (
            "sgd@1/slots/velocity/fc.bias",
            TensorKey(Group.SLOTS, "fc.bias", Phase.TRAIN_STEP, "sgd", 1, "velocity"),
        ),
    ],
)
def test_the_texts_that_stores_hold(text, key):
    assert str(key) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "logits",
        "outputs",
        "loss/",
        "adam@5/activations/fc",
        "adam@05/weights/w",
        "then/loss",
        "slots/w",
        "infer/",
    ],
)
def test_what_no_check_observes_has_no_key(text):
    with pytest.raises(ValueError, match="is not the text of a tensor's key"):
        TensorKey.parse(text)


def test_a_result_is_keyed_by_its_phase():
    result = {"outputs/a.b": np.zeros(2), "prediction": np.zeros(2, int)}
    assert [str(key) for key in keyed(result, Phase.INFER)] == ["infer/a.b", "prediction"]


def test_what_the_protocol_does_not_know_is_left_out():
    result = {
        "outputs/a": np.zeros(2),
        "debug": np.zeros(2),
        "loss/extra": np.zeros(2),
        "outputs": np.zeros(2),
    }
    assert [str(key) for key in keyed(result, Phase.LOSS)] == ["loss/outputs/a"]


def test_outputs_of_any_result_are_told_by_node():
    assert list(outputs_of({"outputs/a": np.zeros(2), "loss": np.zeros(())})) == ["a"]


def test_slots_are_keyed_by_their_optimizer():
    found = slots_keyed({"velocity/fc.bias": np.zeros(2), "stray": np.zeros(2)}, "momentum", 5)
    assert [str(key) for key in found] == ["momentum@5/slots/velocity/fc.bias"]


def test_tensors_are_read_back_from_their_texts():
    tensors = {TensorKey(Group.LOSS): np.ones(()), TensorKey(Group.GRADIENTS, "w"): np.ones(3)}
    read = from_texts(as_texts(tensors))
    assert read.keys() == tensors.keys()
    assert all(read[key] is tensors[key] for key in tensors)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("adam@1/then/activations/fc", "activations/fc"),
        ("adam@1/infer/fc", "infer/fc"),
        ("adam@1/state/bn.mean", "state/bn.mean"),
        ("adam@1/weights/fc.bias", None),
        ("adam@1/slots/first_moment/fc.bias", None),
    ],
)
def test_a_tensor_has_an_earlier_one_unless_a_step_made_it(text, before):
    earlier = TensorKey.parse(text).before_training
    assert (str(earlier) if earlier else None) == before
