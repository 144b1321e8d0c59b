"""A worker process whose service does what it is told, however bad."""

import pytest
from helpers.rogues import start


@pytest.fixture
def worker(tmp_path):
    with start(tmp_path) as running:
        yield running
