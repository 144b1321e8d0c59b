"""What the benchmarks share: options, the way workers find this folder,
measurements made once a session.
"""

import os
from pathlib import Path

import pytest
from comparisons import Comparisons


def pytest_addoption(parser):
    group = parser.getgroup("dnnbench's own benchmarks")
    group.addoption(
        "--processes", type=int, default=6, help="fresh processes for each arm (default 6)"
    )
    group.addoption(
        "--seconds",
        type=float,
        default=1.2,
        help="seconds of visits a phase and process (default 1.2)",
    )


@pytest.fixture(scope="session")
def worker_path():
    """Workers started meanwhile find their services in this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def comparisons(request, cache, worker_path):
    """Ratios of dnnbench to handwritten code, measured an arm at a time for those tests
    that were selected.
    """
    selected = [
        item.callspec.params for item in request.session.items if "comparisons" in item.fixturenames
    ]
    return Comparisons(
        selected, request.config.getoption("processes"), request.config.getoption("seconds")
    )
