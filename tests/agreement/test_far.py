"""Numbers far from 1 in the check of any network: lifted biases, and their exact effect."""

import numpy as np
import pytest
from dnnbench.agreement.comparing import compare
from dnnbench.agreement.far import LOGITS, lifted_biases, not_lifted
from dnnbench.agreement.keys import TensorKey
from dnnbench.spec.phases import Phase
from dnnbench.testing.cases import CASES
from helpers.saboteurs import checked_case

FAR_GRADIENTS = "far/gradients/logits.weight"


def test_the_logits_of_a_cross_entropy_have_one_constant_more():
    (lift,) = lifted_biases(CASES["dense"]()).values()
    assert set(lift) == {np.float32(LOGITS)}


def test_binary_logits_go_to_either_side():
    lift = lifted_biases(CASES["bce_with_logits"]())
    assert [set(a) for a in lift.values()] == [{np.float32(LOGITS), np.float32(-LOGITS)}]


@pytest.mark.parametrize("case", ["mse", "cross_entropy_of_large_logits"])
def test_what_has_no_bias_of_its_own_is_not_lifted(case):
    assert lifted_biases(CASES[case]()) == {}


def test_keys_are_lifted_and_memory_that_is_fed_is_named():
    lifted = lifted_biases(CASES["attention"]())
    assert sum(name.endswith(".bias") for name in lifted) == len(lifted) == 2
    assert not_lifted(CASES["attention"]()) == []
    (named,) = not_lifted(CASES["attention_after_a_cache"]())
    assert named.startswith("scores of 'attention")


def test_logits_without_a_bias_are_named():
    assert not_lifted(CASES["cross_entropy_of_large_logits"]()) == ["logits 'logits'"]
    assert not_lifted(CASES["mse"]()) == []


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("attention", "loss"),
        ("attention", "outputs/logits"),
        ("attention", "infer/attention1"),
        ("dense", "loss"),
        ("dense", "gradients/dense1.weight"),
        ("dense", "gradients/logits.bias"),
    ],
)
def test_exact_arithmetic_hardly_feels_it(case, text):
    _, _, reference = checked_case(case, "float64")
    near, far = (reference.tensors[TensorKey.parse(one)] for one in (text, f"far/{text}"))
    lift = LOGITS if text.endswith("outputs/logits") else 0
    assert np.allclose(far - lift, near, rtol=1e-9, atol=1e-9)


def test_no_gradient_is_compared_behind_lifted_keys():
    _, _, reference = checked_case("attention", "float64")
    assert not [key for key in reference.tensors if key.far and key.group == "gradients"]


@pytest.mark.parametrize(("case", "of_a_tie"), [("dense", 0), ("bce_with_logits", False)])
def test_a_tie_of_all_logits_is_compared(case, of_a_tie):
    """The first of equal classes is predicted, and a logit of 0 is not positive."""
    workload, _, reference = checked_case(case, "float64")
    key = TensorKey.parse("far/prediction")
    predicted = reference.tensors[key]
    assert np.all(predicted == of_a_tie)
    for other, ok in ((predicted, True), (1 - predicted.astype(int), False)):
        compared = compare(reference, {**reference.tensors, key: other}, workload, "float64")
        assert next(one for one in compared if one.key == key).ok is ok


@pytest.mark.parametrize(("dtype", "asked"), [("float64", True), ("bfloat16", False)])
def test_coarse_types_are_not_asked(dtype, asked):
    workload, _, reference = checked_case("dense", "float64")
    compared = compare(reference, dict(reference.tensors), workload, dtype)
    assert any(one.key.far for one in compared) is asked


@pytest.mark.parametrize(("case", "asked"), [("dense", True), ("batch_norm", False)])
def test_of_running_statistics_no_program_that_only_infers_is_asked(case, asked):
    """The reference was made for arms that train, too."""
    workload, _, reference = checked_case(case, "float64")
    inferred = {key: a for key, a in reference.tensors.items() if key.phase is Phase.INFER}
    compared = compare(reference, inferred, workload, "float64", (Phase.INFER,))
    assert any(one.key.far for one in compared) is asked


def test_a_key_of_it_reads_as_it_is_written():
    key = TensorKey.parse(FAR_GRADIENTS)
    assert (key.far, key.name, str(key)) == (True, "logits.weight", FAR_GRADIENTS)
    assert key.family != TensorKey.parse("gradients/logits.weight").family


@pytest.mark.parametrize("text", ["far/adam@5/weights/w", "adam@5/far/loss", "far/far/loss"])
def test_no_step_is_taken_there(text):
    with pytest.raises(ValueError, match="key"):
        TensorKey.parse(text)
