"""Calls that are timed one by one, from a real worker to the store's statistics and the report."""

import math

import numpy as np
import pytest
from dnnbench.execution.generation import Generation
from dnnbench.execution.measured import measured
from dnnbench.execution.record import Record
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.report.evidence import gather
from dnnbench.report.summary import summary_of
from dnnbench.stats.flags import SINGLE, STEAL
from dnnbench.store.store import open_store
from helpers import reporting

CALLS = 60


@pytest.fixture(scope="module")
def record():
    """One short generation of NumPy, with real workers."""
    settings = Settings(threads=(1,), single_calls=CALLS, check=False)
    plan, datasets = make_plan(
        Request((find_workload("mlp_digits"),), ("numpy",), settings), Silent()
    )
    filled = Record()
    Generation(plan, datasets, 0, {}, set(), filled, Silent()).run(0.3)
    return filled


@pytest.mark.slow
def test_every_purpose_gets_as_many_calls_as_were_asked_for(record):
    counts = {key.phase: len(calls) for key, calls in record.singles.items()}
    assert counts == {"infer": CALLS, "train_step": CALLS}


@pytest.mark.slow
def test_single_calls_are_marked_and_no_visits(record):
    flags = [call.flags for calls in record.singles.values() for call in calls]
    assert all(flag & SINGLE for flag in flags)
    assert not any(v.flags & SINGLE for visits in record.visits.values() for v in visits)


@pytest.mark.slow
def test_a_single_call_takes_about_as_long_as_one_of_a_visit(record):
    for key, calls in record.singles.items():
        single = np.median([call.seconds for call in calls])
        visit = np.median([visit.seconds / visit.calls for visit in record.visits[key]])
        assert visit / 10 < single < 10 * visit


# In the store and in reports.


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "new.sqlite") as opened:
        yield opened


def add_singles(store, count, flags=0):
    """A run with visits of a millisecond, and single calls a hundred times as long."""
    arms = {"torch:eager": 1.0, "jax:jit": 0.5}
    one = {"arms": arms, "workloads": ("mlp_digits",), "generations": 3}
    cells = reporting.add_run(store, "plain", **one)
    reporting.add_run(store, "r", singles=(count, 0.1, flags), **one)
    return cells


def test_no_statistic_of_visits_counts_single_calls(store):
    add_singles(store, 400)
    plain, mixed = (summary_of(measured(store, run)) for run in ("plain", "r"))
    assert mixed["call_s"].max() < 0.05
    assert (plain["visits"] == mixed["visits"]).all()


def test_the_report_tells_percentiles_with_intervals(store):
    add_singles(store, 400)
    section = reporting.section_of(gather(store, "r"), "single-calls")
    (row, *_) = section.tables[0].rows
    p50, p90, p99 = (cell for cell in row[4:7])
    assert float(p50.text) == pytest.approx(100, rel=0.05)
    assert p90.interval
    assert p99.interval
    assert row[7].text == "1,200", "400 in each of three generations"
    assert section.doubts == ()


def test_contended_calls_are_kept_and_their_share_is_told(store):
    add_singles(store, 400, STEAL)
    section = reporting.section_of(gather(store, "r"), "single-calls")
    assert {row[8].text for row in section.tables[0].rows} == {"100 %"}
    assert {row[7].text for row in section.tables[0].rows} == {"1,200"}


def test_few_calls_tell_no_p99_and_what_to_do(store):
    add_singles(store, 100)
    section = reporting.section_of(gather(store, "r"), "single-calls")
    assert {row[6].text for row in section.tables[0].rows} == {"–"}
    assert section.doubts[0].startswith("p99 needs 1,000 calls, and a cell has 300")
    assert math.isnan(section.data["single_calls"][0]["p99_s"]["value"])


def test_a_run_without_them_has_no_such_section(store):
    add_singles(store, 10)
    evidence = gather(store, "plain")
    assert evidence.measured.singles == {}
    with pytest.raises(ValueError, match="not enough values"):
        reporting.section_of(evidence, "single-calls")
