"""The laws of the protocol, asked of every backend in its own worker."""

import pytest
from dnnbench.plugins.discovery import plugins
from dnnbench.testing.laws import LAWS

ARMS = [(name, info.default_mode) for name, info in plugins().backends.items()]
SERVICE = "dnnbench.testing.service:LawService"
CASE = {"closing_gives_memory_back": "batch_norm", "wait_means_done": "heavy"}


@pytest.mark.parametrize(
    ("backend", "mode", "law"),
    [
        pytest.param(b, m, law, marks=pytest.mark.xdist_group(f"{b}:{m}"), id=f"{b}-{m}-{law}")
        for b, m in ARMS
        for law in LAWS
    ],
)
def test_law(workers, backend, mode, law):
    workers.get(backend, mode, service=SERVICE).call("law", 600, name=law, case=CASE.get(law, "everything"))


def test_there_are_laws():
    assert len(LAWS) >= 12
