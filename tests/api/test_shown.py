"""What an interpreter without HTML shows of a result: its outcome in a sentence."""

import pytest
from dnnbench.api.check import Check
from dnnbench.api.load import load
from dnnbench.api.train import Training
from dnnbench.store.store import open_store
from helpers.storing import add_run

EMPTY = {
    "<Check: Nothing was checked.>": Check(()),
    "<Training: Nothing was trained.>": Training(),
}


@pytest.mark.parametrize(("shown", "result"), EMPTY.items(), ids=EMPTY)
def test_a_result_says_what_came_of_it(shown, result):
    assert repr(result) == shown


def test_the_runs_of_a_store_are_counted(tmp_path):
    path = tmp_path / "one.sqlite"
    with open_store(path) as store:
        add_run(store, "r1")
    assert repr(load(path)) == f"<1 run of {path}>"
