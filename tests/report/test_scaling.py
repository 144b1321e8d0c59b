"""Sweeps against times that are known: gains, efficiency, where an arm stops to gain."""

from dataclasses import replace

import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey
from dnnbench.report.charts import drawn
from dnnbench.report.scaling import Axis, Sweep, SweepPoint, sweeps
from dnnbench.report.sections.scaling import scaling
from dnnbench.stats.estimates import Estimate
from helpers import reporting

THREADS = {"numpy:eager": 1, "tensorflow:graph": 2, "torch:eager": 4, "jax:jit": 8}
"""Arms of the run whose times are known, taken for one arm with so many threads."""
BATCHES = {"jax:jit": 8, "torch:eager": 16, "tensorflow:graph": 32, "numpy:eager": 64}


def with_threads(run):
    def of(cell):
        arm = Arm("torch", "eager", threads=THREADS[cell.arm], shown=("threads",))
        return replace(cell, arm=arm.name, key=replace(cell.key, arm=arm))

    return replace(run, cells=tuple(map(of, run.cells)))


def with_batches(run):
    def of(cell):
        batch, arm = BATCHES[cell.arm], Arm("torch", "eager")
        key = replace(cell.key, arm=arm, case=CaseKey(cell.workload, batch))
        return replace(cell, arm=arm.name, batch_size=batch, key=key)

    return replace(run, cells=tuple(map(of, run.cells)))


def test_a_run_of_one_batch_and_type_has_no_sweep(known):
    assert sweeps(known.measured) == []
    assert scaling(known) is None


@pytest.fixture(scope="module")
def by_threads(known):
    return sweeps(with_threads(known.measured))


def test_threads_of_one_arm_are_a_sweep_of_each_workload_and_purpose(by_threads):
    assert [(s.axis, s.workload, s.phase) for s in by_threads] == [
        (Axis.THREADS, workload, phase)
        for phase in ("train_step", "infer")
        for workload in reporting.WORKLOADS
    ]
    assert {s.arm for s in by_threads} == {"torch:eager"}
    assert [p.value for p in by_threads[0].points] == [1, 2, 4, 8]


@pytest.mark.parametrize(("place", "gain"), [(0, 1.0), (1, 2.4), (2, 3.0), (3, 6.0)])
def test_what_is_gained_and_how_efficiently(by_threads, place, gain):
    sweep = by_threads[0]
    point = sweep.points[place]
    assert sweep.gain(point) == pytest.approx(gain, rel=0.02)
    assert sweep.efficiency(point) == pytest.approx(gain / point.value, rel=0.02)


def test_batch_sizes_are_a_sweep_with_the_largest_within_a_latency(known):
    sweep = sweeps(with_batches(known.measured))[0]
    assert (sweep.axis, sweep.batch_size) == (Axis.BATCH, None)
    assert [p.value for p in sweep.points] == [8, 16, 32, 64]
    assert sweep.within(4.5e-3).value == 16
    assert sweep.within(1e-3) is None


def swept(*throughputs):
    """A sweep of these examples a second at 1, 2, 4 ... threads."""
    calls = [Estimate(8 / per_s, 0.0, 0.0, 3) for per_s in throughputs]
    points = tuple(SweepPoint(2**place, 8, call) for place, call in enumerate(calls))
    return Sweep(Axis.THREADS, "w", 8, "infer", "torch:eager", "torch", points)


GAINS = [
    ("to the end", (100, 150, 200), 4),
    ("a tenth is too little", (100, 150, 160), 2),
    ("from the first on", (100, 105, 103), 1),
    ("a later gain counts", (100, 105, 200), 4),
]


@pytest.mark.parametrize(
    ("throughputs", "value"), [case[1:] for case in GAINS], ids=[case[0] for case in GAINS]
)
def test_where_an_arm_stops_to_gain(throughputs, value):
    assert swept(*throughputs).enough.value == value


def test_the_section_says_it_in_a_sentence_a_table_and_a_chart(known):
    section = scaling(replace(known, measured=with_threads(known.measured)))
    said = section.sentences[0]
    assert said.startswith("mlp_digits/64, training with torch:eager: most examples a second")
    assert said.endswith("with 8 threads; it gains to the end")
    (table,) = section.tables
    assert [row[6].text for row in table.rows[:4]] == ["1.00x", "2.4x", "3.0x", "6.0x"]
    assert len(section.charts) == 4
    assert "<svg" in drawn(section.charts[0].spec({"numpy": 0, "torch": 1}), "a sweep")
