"""Which run of a store is meant, and how two stores become one."""

import pytest
from dnnbench.errors import StoreError
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store
from helpers import storing

RUNS = {
    "20260101-101502-aaaa": {"label": "baseline", "revision": "1234567890abcdef"},
    "20260102-101502-bbbb": {"label": "nightly", "revision": "1234567890abcdef"},
    "20260203-101502-cccc": {"label": "nightly", "revision": "fedcba0987654321"},
    "20260203-101502-dddd": {},
}


@pytest.fixture(scope="module")
def four_runs(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("find") / "runs.sqlite") as opened:
        storing.add_run(opened, "20260101-090000-eeee", machine="m2")
        opened.label_machine("m2", "lab-4")
        for run_id, names in RUNS.items():
            storing.add_run(opened, run_id, **names)
        yield opened


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("20260102-101502-bbbb", "bbbb"),
        ("20260102", "bbbb"),
        ("20260203-101502-d", "dddd"),
        ("baseline", "aaaa"),
        ("nightly", "cccc"),
        ("1234567890abcdef", "bbbb"),
        ("fedcba09", "cccc"),
        ("latest", "dddd"),
        ("lab-4", "eeee"),
    ],
)
def test_find_run(four_runs, given, meant):
    assert four_runs.find_run(given).endswith(meant)


def test_a_day_means_its_newest_run(four_runs):
    day, _, _ = four_runs.runs()["created"].iloc[-1].partition("T")
    assert four_runs.find_run(day).endswith("dddd")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "202602",
            "2 runs begin with '202602' (20260203-101502-dddd, 20260203-101502-cccc); give more",
        ),
        ("", "an empty name of a run"),
        (
            "basline",
            "did you mean 'baseline'?; newest runs: 20260203-101502-dddd, 20260203-101502-cccc "
            "(nightly)",
        ),
        ("lastest", "did you mean 'latest'?"),
        ("123", "no run has id, label, revision, day or machine '123'"),
        ("lab-5", "did you mean 'lab-4'?"),
        ("2026-13-01", "no run has id"),
        ("zzz", "zzz'; newest runs"),
    ],
)
def test_find_run_says_what_there_is(four_runs, given, said):
    with pytest.raises(StoreError) as refusal:
        four_runs.find_run(given)
    assert said in str(refusal.value)


def test_an_empty_store_has_no_latest_run(store):
    with pytest.raises(StoreError, match="dnnbench run"):
        store.find_run("latest")


def test_stores_of_two_machines_merge(tmp_path):
    with open_store(tmp_path / "a.sqlite") as target, open_store(tmp_path / "b.sqlite") as source:
        storing.assert_merges(target, source)


def test_merging_a_store_with_itself_adds_nothing(store):
    storing.add_everything(store, "r1")
    assert set(merge(store, store).values()) == {0}


def test_a_run_that_went_on_replaces_its_older_copy_and_never_the_reverse(tmp_path):
    with open_store(tmp_path / "a.sqlite") as copy, open_store(tmp_path / "b.sqlite") as source:
        cells = storing.add_run(source, "r1")
        storing.measure(source, "r1", cells, 0)
        merge(copy, source)
        storing.measure(source, "r1", cells, 1)
        source.update_cells("r1", [{"cell_id": cells[0], "status": "ok", "calls": 9}])
        source.finish_run("r1", "complete")
        newest = storing.contents(source)
        assert set(merge(source, copy).values()) == {0}
        assert storing.contents(source) == newest
        added = merge(copy, source)
        assert (added["run"], added["generation"], added["sample_block"]) == (0, 1, len(cells))
        assert storing.contents(copy) == newest
