"""The conformance kit against a third party's backend that is narrow, wrong or dying,
one way a mode.
"""

import pytest
from dnnbench.agreement.comparison import TensorComparison
from dnnbench.agreement.keys import TensorKey
from dnnbench.agreement.status import Status
from dnnbench.errors import WorkerError
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.capabilities import Capabilities
from dnnbench.testing.arm_under_test import ArmUnderTest
from dnnbench.testing.case_checker import TOGETHER, CaseChecker, groups_of, workload_of
from dnnbench.testing.families import FAMILIES, TRAINING
from dnnbench.testing.law_checks import law_verdict
from dnnbench.testing.verdicts import case_of, judged, side_of

FOUR = ("relu", "sigmoid", "tanh", "softmax")


def told(mode, cases=FOUR):
    """(status, reason or tensor) by case and side."""
    checker = CaseChecker(Arm("stranger", mode, dtype="float64"), cases)
    try:
        return {
            (case, side): (verdict.status, verdict.reason, verdict.tensor)
            for case in cases
            for side, verdict in checker.verdicts(case).items()
        }
    finally:
        checker.arm_under_test.close()


def statuses(verdicts):
    return {key: status for key, (status, *_) in verdicts.items()}


ALL_OK = {(case, side): Status.AGREES for case in FOUR for side in ("forward", "gradient")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "different"),
    [
        (
            "narrow",
            {(c, s): "unsupported" for c in ("sigmoid", "tanh") for s in ("forward", "gradient")},
        ),
        ("wrong", {("sigmoid", "gradient"): Status.DIFFERS}),
        ("dying", {("tanh", side): Status.COULD_NOT_RUN for side in ("forward", "gradient")}),
    ],
)
def test_each_case_gets_its_own_verdict_though_asked_together(stranger, mode, different):
    verdicts = told(mode)
    assert statuses(verdicts) == ALL_OK | different
    reasons = {"narrow": "no sigmoid here", "wrong": "rmse", "dying": "killed by signal 9"}
    for key in different:
        expected = reasons[mode].replace("sigmoid", key[0])
        assert expected in verdicts[key][1], verdicts[key]
    if mode == "wrong":
        assert "dense1" in verdicts["sigmoid", "gradient"][2], "the layer before the sigmoid"


@pytest.mark.parametrize(
    ("mode", "law", "status", "case"),
    [
        ("forgetful", "infer_changes_nothing", "broken", "everything"),
        ("narrow", "infer_changes_nothing", "kept", "relu"),
        ("dying", "put_does_not_alias", "could not run", "everything"),
        ("empty", "restore_goes_back", "unsupported", ""),
    ],
)
def test_laws_are_asked_on_what_the_backend_can_do(stranger, mode, law, status, case):
    arm_under_test = ArmUnderTest(Arm("stranger", mode))
    verdict = law_verdict(arm_under_test, law)
    arm_under_test.close()
    assert (verdict.status, verdict.case) == (status, case), verdict
    assert verdict.reason or status == "kept", verdict


def test_a_backend_that_cannot_start_is_asked_once(stranger):
    arm_under_test = ArmUnderTest(Arm("stranger", "absent"))
    for _ in range(2):
        with pytest.raises(WorkerError, match="no such device") as raised:
            arm_under_test.arms.devices()
    assert arm_under_test._refusal is raised.value


def test_groups_hold_every_case_once_and_train_with_one_loss_and_optimizer():
    groups = groups_of(tuple(FAMILIES))
    assert sorted(case for group in groups for case in group) == sorted(FAMILIES)
    assert max(map(len, groups)) <= TOGETHER
    assert all(len(group) == 1 for group in groups if FAMILIES[group[0]] == TRAINING)
    assert {workload_of(group).task.optimizer.kind for group in groups if len(group) > 1} == {"sgd"}


@pytest.mark.parametrize(
    ("key", "side", "case"),
    [
        ("infer/relu.y", "forward", "relu"),
        ("loss/outputs/relu.y", "forward", "relu"),
        ("forward/state/batch_norm.n.mean", "forward", "batch_norm"),
        ("loss", "forward", ""),
        ("prediction", "forward", ""),
        ("gradients/dense.logits.weight", "gradient", "dense"),
        ("sgd@5/weights/dense.logits.bias", "gradient", "dense"),
        ("sgd@1/infer/gru.y", "gradient", "gru"),
        ("momentum@5/slots/velocity/lstm.l.bias", "gradient", "lstm"),
    ],
)
def test_tensors_belong_to_a_side_and_a_case(key, side, case):
    parsed = TensorKey.parse(key)
    assert (side_of(parsed), case_of(parsed)) == (side, case)


def compared(text, *rest):
    return TensorComparison(TensorKey.parse(text), *rest)


@pytest.mark.parametrize(
    ("comparisons", "forward", "gradient"),
    [
        ([], "not compared", "not compared"),
        ([compared("loss", 0.5)], "agrees", "not compared"),
        ([compared("loss", 0.5), compared("gradients/w", float("nan"))], "agrees", "differs"),
        (
            [
                compared("loss", 1.5),
                compared("infer/y", float("nan")),
                compared("gradients/w", 1.0),
            ],
            "differs",
            "agrees",
        ),
        (
            [compared("loss", 0.5), compared("infer/y", float("nan"), "", Status.NOT_COMPARED)],
            "not compared",
            "not compared",
        ),
    ],
)
def test_a_side_without_a_tensor_or_with_nan_does_not_agree(comparisons, forward, gradient):
    verdicts = judged("a", "case", "float64", comparisons, Capabilities())
    assert (verdicts["forward"].status, verdicts["gradient"].status) == (forward, gradient)
