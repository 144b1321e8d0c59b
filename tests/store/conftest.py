"""A store in a folder that is not there yet."""

import pytest
from dnnbench.store.store import open_store


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "folder" / "results.sqlite") as opened:
        yield opened
