"""What a worker's searches for garbage visit."""

import gc

import pytest
from dnnbench.execution.pool import start_request
from dnnbench.protocol.arm import Arm
from dnnbench.worker.server.arm import ArmServer


@pytest.fixture
def nothing_frozen():
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_a_backend_imports_is_no_longer_searched_for_garbage(nothing_frozen):
    before = len(gc.get_objects())
    ArmServer().start(start_request(Arm("numpy", "eager")))
    assert gc.get_freeze_count() > before / 2
    assert len(gc.get_objects()) < before / 10
