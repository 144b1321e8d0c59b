"""What a check says that it compared, and what it left out."""

import pytest
from dnnbench.agreement.check import Agreement
from dnnbench.agreement.status import Status
from dnnbench.execution.agreement_rows import AgreementRow
from dnnbench.execution.compared import compared
from dnnbench.spec.phases import Phase
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.services.agreement import CheckRequest


def comparison(case, steps=(1, 5), timed_rows=None, tensor="loss"):
    """Of a case on which one tensor agreed."""
    workload = CASES[case]()
    batches = tuple(batches_of(workload, 2, 4))
    [timed] = batches_of(workload, 1, timed_rows) if timed_rows else [None]
    request = CheckRequest(workload, batches, steps, 0, phases=tuple(Phase), timed=timed)
    agrees = Agreement("loss", "", tensor, 0.1, 1, "", Status.AGREES)
    [one] = compared([request], [AgreementRow("numpy:eager", workload.name, "float64", agrees)])
    return one


@pytest.mark.parametrize(
    ("steps", "words"), [((1, 5, 12), "1, 5 and 12"), ((1, 2), "1 and 2"), ((1,), "1")]
)
def test_the_sentence_lists_steps(steps, words):
    said = comparison("dense", steps).sentence
    assert f"training after {words} steps of momentum and of adam" in said


def test_the_timed_batch_is_told_with_its_rows():
    one = comparison("dense", timed_rows=33)
    assert "the timed batch whole (33 rows)" in one.sentence


def test_a_norm_over_one_row_is_compared():
    one = comparison("batch_norm", timed_rows=1)
    assert one.left_out == ()
    assert "the timed batch whole (1 row)" in one.sentence


def test_of_arms_that_only_infer_no_training_is_said_to_be_compared():
    sentence = comparison("batch_norm", tensor="infer/logits").sentence
    assert "as it infers" in sentence
    assert "train" not in sentence
