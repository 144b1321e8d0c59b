"""The kit on a third party's backend that only infers:
its cases and laws, and its faults caught.
"""

import pytest
from dnnbench.agreement.status import Status
from dnnbench.plugins.discovery import Plugins
from dnnbench.plugins.entries import announced
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.device import CPU
from dnnbench.testing.case_checker import CaseChecker
from dnnbench.testing.families import FAMILIES
from dnnbench.testing.law_checks import law_verdict
from dnnbench.testing.laws import LAWS, NEEDS
from helpers.installing import installed_here
from helpers.running import THIRD_PARTY

pytestmark = [pytest.mark.xdist_group("answers"), pytest.mark.slow]
REASON = "answers has no gradients"
SOME = ("relu", "batch_norm", "conv2d_same", "lstm", "adam", "mse", "bce_with_logits", "dropout")


@pytest.fixture(scope="module", autouse=True)
def answers():
    with installed_here(THIRD_PARTY):
        yield


def arm_of(mode):
    return Arm("answers", mode, CPU, "float64")


@pytest.fixture(scope="module")
def right(answers):
    """The right arm, asked about every case."""
    checker = CaseChecker(arm_of("right"))
    yield checker
    checker.arm_under_test.close()


@pytest.mark.parametrize("case", FAMILIES)
def test_inference_agrees(right, case):
    verdict = right.verdicts(case)["forward"]
    assert verdict.status is Status.AGREES, verdict


@pytest.mark.parametrize("case", SOME)
def test_what_it_lacks_of_the_forward_side_is_told(right, case):
    assert right.verdicts(case)["forward"].without == f"forward: {REASON}; loss: {REASON}"


@pytest.mark.parametrize("case", SOME)
def test_the_gradient_side_is_unsupported_with_its_reason(right, case):
    verdict = right.verdicts(case)["gradient"]
    assert (verdict.status, verdict.reason) == (Status.UNSUPPORTED, REASON)


def law_of(mode, law):
    checker = CaseChecker(arm_of(mode))
    try:
        return law_verdict(checker.arm_under_test, law)
    finally:
        checker.arm_under_test.close()


@pytest.fixture(scope="module")
def laws(right):
    return {law: law_verdict(right.arm_under_test, law) for law in LAWS}


@pytest.mark.parametrize("law", [law for law in LAWS if law not in NEEDS])
def test_the_laws_of_inference_are_asked_and_kept(laws, law):
    assert laws[law].status == "kept", laws[law]


@pytest.mark.parametrize("law", NEEDS)
def test_a_law_of_training_is_unsupported_with_its_reason(laws, law):
    assert (laws[law].status, laws[law].reason) == ("unsupported", REASON)


@pytest.mark.parametrize(
    ("mode", "law", "words"),
    [
        (
            "deaf",
            "load_reaches_inference",
            "a loaded program infers what one that was built does not",
        ),
        ("initial", "load_reaches_inference", "a loaded program infers"),
        ("writing", "inputs_are_not_written_to", "the placed batch was written to"),
    ],
)
def test_a_fault_breaks_its_law(mode, law, words):
    verdict = law_of(mode, law)
    assert verdict.status == "broken", verdict
    assert words in verdict.reason


def side_of(mode, case):
    checker = CaseChecker(arm_of(mode), (case,))
    try:
        return checker.verdicts(case)["forward"]
    finally:
        checker.arm_under_test.close()


def test_a_wrong_answer_differs():
    assert side_of("wrong", "dense").status is Status.DIFFERS


def test_a_backend_that_says_it_trains_and_does_not_is_told():
    verdict = side_of("boastful", "dense")
    assert verdict.status is Status.COULD_NOT_RUN
    assert "AnswersProgram is no TrainingProgram" in verdict.reason


def test_the_third_party_is_announced_without_a_complaint(answers):
    complaints = Plugins(announced()).complaints()
    assert not [reason for origin, reason in complaints.items() if origin.entry == "answers"]
