"""The laws of the protocol, asked of every backend in its own worker."""

import numpy as np
import pytest
from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.case_checker import CaseCheckers
from dnnbench.testing.cases.batches import batches_of
from dnnbench.testing.cases.everything import weighty
from dnnbench.testing.law_checks import law_verdict
from dnnbench.testing.laws import LAWS, closing_gives_memory_back
from dnnbench.testing.trial import LawBroken, Trial
from dnnbench_numpy.backend import NumpyBackend
from helpers.backends import OWN

ARMS = [Arm(name, plugins().backends[name].default_mode) for name in OWN]


@pytest.fixture(scope="module")
def checkers():
    opened = CaseCheckers()
    yield opened
    opened.close()


LONG_TO_COMPILE = (
    "closing_gives_memory_back",
    "masks_are_drawn_as_they_are_meant",
    "masks_keep_their_share",
    "programs_do_not_share",
    "restore_goes_back",
)
"""Laws that build a program many times, or call it on many batches: the matrix asks them of
compiled modes.
"""


LONG_IN_EAGER = (("torch", "closing_gives_memory_back"), ("torch", "programs_do_not_share"))


def in_one_process(arm, law):
    """All laws of an arm in one pytest process, which starts its worker once."""
    marks = [pytest.mark.xdist_group(f"{arm.name}-laws")]
    if (arm.mode != "eager" and law in LONG_TO_COMPILE) or (arm.backend, law) in LONG_IN_EAGER:
        marks.append(pytest.mark.exhaustive)
    if arm.mode != "eager":
        marks.append(pytest.mark.compiled)
    elif arm.backend != "numpy":
        marks.append(pytest.mark.slow)
    return pytest.param(arm, law, marks=marks, id=f"{arm.name}-{law}")


@pytest.mark.parametrize(("arm", "law"), [in_one_process(arm, law) for arm in ARMS for law in LAWS])
def test_law(checkers, arm, law):
    verdict = law_verdict(checkers.of(arm).arm_under_test, law)
    assert verdict.status == "kept", verdict
    networks = ("everything", "weighty", "heavy", "relu", "batch_norm", "thinned")
    assert verdict.case in networks, verdict


def test_there_are_laws():
    assert len(LAWS) >= 12


@pytest.mark.slow
def test_a_backend_that_keeps_half_of_its_weights_breaks_the_law_of_closing():
    kept, workload = [], weighty()
    weights = initial_weights(workload.model, 0)

    class Keeping(NumpyBackend):
        def build(self, *asked):
            program = super().build(*asked)
            kept.append(
                np.ones(sum(array.nbytes for array in program.weights().values()) // 2, np.uint8)
            )
            return program

    def build(weights):
        return Keeping().build(workload, weights, Arm("numpy", "eager", dtype="float32"))

    with pytest.raises(
        LawBroken,
        match=r"twenty build-close cycles grew the process by \d+ MiB, (4|5)\d% of their weights",
    ):
        closing_gives_memory_back(Trial(build, weights, batches_of(workload)))
