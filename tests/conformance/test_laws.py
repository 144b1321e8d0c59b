"""The laws of the protocol, asked of every backend in its own worker."""

import pytest
from dnnbench.plugins.discovery import missing, plugins
from dnnbench.protocol.arm import Arm
from dnnbench.testing.examiner import Examiners
from dnnbench.testing.law_exams import law_verdict
from dnnbench.testing.laws import LAWS

ARMS = [Arm(name, info.default_mode) for name, info in plugins().backends.items()]


@pytest.fixture(scope="module")
def examiners():
    opened = Examiners()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("arm", "law"),
    [
        pytest.param(arm, law, marks=pytest.mark.xdist_group(f"{arm.name}-laws"), id=f"{arm.name}-{law}")
        for arm in ARMS
        for law in LAWS
    ],
)
def test_law(examiners, arm, law):
    if reason := missing(plugins().backends[arm.backend]):
        pytest.skip(reason)
    verdict = law_verdict(examiners.of(arm).examinee, law)
    assert verdict.status == "kept" and verdict.case in ("everything", "batch_norm", "heavy"), verdict


def test_there_are_laws():
    assert len(LAWS) >= 12
