"""A run as `dnnbench.run` and `dnnbench.load` give it, and what it is without its store."""

import dnnbench
import pytest
from dnnbench.errors import StoreError, UsageError
from dnnbench.spec.builder import Builder

FAST = {"backend": "numpy", "threads": 1, "quick": True, "max_time": "1s", "wait": True}
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("called run")]  # a run


def small():
    net = Builder("small")
    return net.build(net.dense(net.input("x", (6,)), units=3, name="logits"))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "runs.sqlite"


@pytest.fixture(scope="module")
def run(store):
    return dnnbench.run(small, phase="infer", label="first", store=store, **FAST)


def test_a_run_that_is_complete_goes_on_to_itself(run, store):
    again = dnnbench.run(resume="first", store=store, wait=True)
    assert again.run_id == run.run_id


def test_a_run_outlives_its_store(run, store, tmp_path):
    moved = store.rename(tmp_path / "elsewhere.sqlite")
    try:
        counted = run.cells["visits"] + run.cells["rounds_dropped"]
        assert len(run.samples) == counted.sum()
    finally:
        moved.rename(store)


def test_a_loaded_run_is_found_by_its_label(run, store):
    assert dnnbench.load(store)["first"].run_id == run.run_id


def test_a_run_that_is_not_there_is_a_store_error(run, store):
    with pytest.raises(StoreError, match="no run has id, label, revision, day or machine 'frist'"):
        _ = dnnbench.load(store)["frist"]


def test_a_store_that_is_not_there_is_a_store_error(tmp_path):
    with pytest.raises(StoreError):
        dnnbench.load(tmp_path / "none.sqlite")


def test_runs_of_two_stores_are_not_compared(run, tmp_path):
    with pytest.raises(UsageError, match="lie in two stores"):
        dnnbench.compare(run, "latest", store=tmp_path / "other.sqlite")


def test_what_was_learned_is_not_lost_with_its_store(tmp_path):
    (tmp_path / "no.sqlite").write_text("something else")
    options = {"backend": "numpy", "threads": 1, "epochs": 1, "store": tmp_path / "no.sqlite"}
    with pytest.raises(StoreError) as refused:
        dnnbench.train("mlp_digits", **options)
    assert len(refused.value.result.epochs) == 1
