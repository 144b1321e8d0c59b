"""What a backend answers about its phases is checked."""

import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.backend import capabilities_of
from dnnbench.protocol.capabilities import Capabilities
from dnnbench.spec.phases import Phase
from dnnbench.worker.server.arm import texts_of


class Says:
    """A backend that gives these answers."""

    def __init__(self, answer):
        self._answer = answer

    def capabilities(self, workload, arm):
        return self._answer


@pytest.mark.parametrize(
    ("answer", "offered"),
    [
        (Capabilities(), tuple(Phase)),
        (Capabilities.none("no lstm here"), ()),
        (Capabilities.inference_only("no gradients"), (Phase.INFER,)),
        (
            Capabilities({"train_step": "no adam"}),
            tuple(phase for phase in Phase if phase is not Phase.TRAIN_STEP),
        ),
    ],
)
def test_capabilities_name_the_phases_that_are_offered(answer, offered):
    assert capabilities_of(Says(answer), None, Arm("mine", "eager")).offered == offered


@pytest.mark.parametrize("answer", [None, False, True, "", "no lstm"])
def test_an_answer_that_is_no_capabilities_is_refused(answer):
    with pytest.raises(
        TypeError, match=r"mine's capabilities\(\) gave .*, expected Capabilities\(\)"
    ):
        capabilities_of(Says(answer), None, Arm("mine", "eager"))


@pytest.mark.parametrize("reason", [None, "", "  ", ["no lstm"]])
def test_a_missing_phase_needs_a_reason(reason):
    with pytest.raises(
        TypeError, match=r"the reason for no infer is .*, expected a sentence for users"
    ):
        Capabilities({Phase.INFER: reason})


def test_a_phase_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'backward' is not a valid Phase"):
        Capabilities({"backward": "no gradients"})


@pytest.mark.parametrize(
    ("capabilities", "refusal"),
    [
        (Capabilities(), None),
        (Capabilities.inference_only("no gradients"), None),
        (Capabilities.none("no lstm"), "no lstm"),
        (Capabilities(dict.fromkeys(Phase, "a") | {Phase.INFER: "b"}), "b; a"),
    ],
)
def test_a_workload_is_refused_where_no_phase_is_offered(capabilities, refusal):
    assert capabilities.refusal == refusal


@pytest.mark.parametrize("versions", [None, "2.9", {"torch": 2.9}, {3: "3"}])
def test_versions_that_are_no_texts_are_refused(versions):
    with pytest.raises(TypeError, match="expected texts by name"):
        texts_of(versions)
