"""A store of nightly runs."""

import pytest
from dnnbench.store.store import open_store
from helpers.nights import SHAPE, add_nights

SLOWER_FROM = 17
NIGHTS = 21


@pytest.fixture(scope="session")
def nightly(tmp_path_factory):
    """A store of 21 nights, to be copied and not changed: torch 20 % slower from the 18th on."""
    path = tmp_path_factory.mktemp("nights") / "s.sqlite"
    with open_store(path) as store:
        add_nights(store, [1.0] * SLOWER_FROM)
        slower = SHAPE["arms"] | {"torch:eager": 1.2}
        add_nights(store, [1.0] * (NIGHTS - SLOWER_FROM), first=SLOWER_FROM, arms=slower)
    return path
