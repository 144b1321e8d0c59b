"""A run whose true times are known, and a store for others."""

import pytest
from dnnbench.report.evidence import gather
from dnnbench.store.store import open_store
from helpers import reporting


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Six quiet generations with everything in them."""
    with open_store(tmp_path_factory.mktemp("report") / "known.sqlite") as opened:
        reporting.add_run(
            opened,
            "known",
            generations=6,
            notes=["numpy:eager stays on the CPU"],
            skipped={"a": "b"},
        )
        reporting.add_facts(opened, "known")
        yield opened


@pytest.fixture(scope="module")
def known(store):
    return gather(store, "known")


@pytest.fixture
def empty(tmp_path):
    with open_store(tmp_path / "new.sqlite") as opened:
        yield opened
