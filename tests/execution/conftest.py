"""Where runs are made."""

import pytest
from helpers.running import TINY


@pytest.fixture
def place(tmp_path, cache):
    """A working directory with a tiny workload in it."""
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path
