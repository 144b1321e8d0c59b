"""Sweeps against times that are known: gains, efficiency, where an arm stops to gain, and what is
said of it.
"""

from dataclasses import replace
from itertools import combinations

import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey
from dnnbench.report.drawing import drawn
from dnnbench.report.scaling import BATCH, THREADS, TYPE, Axis, Kind, Sweep, SweepPoint, sweeps
from dnnbench.report.sections.scaling import scaling
from dnnbench.report.sweep_words import certain, headlines, sentences
from dnnbench.spec.units import EXAMPLES, Unit
from dnnbench.stats.estimates import Estimate
from helpers import reporting

THREADS_OF = {"numpy:eager": 1, "tensorflow:graph": 2, "torch:eager": 4, "jax:jit": 8}
"""Arms of the run whose times are known, taken for one arm with so many threads."""
BATCHES = {"jax:jit": 8, "torch:eager": 16, "tensorflow:graph": 32, "numpy:eager": 64}


def with_threads(run):
    def of(cell):
        arm = Arm("torch", "eager", threads=THREADS_OF[cell.arm], shown=("threads",))
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
        (THREADS, workload, phase)
        for phase in ("train_step", "infer")
        for workload in reporting.WORKLOADS
    ]
    assert {s.arm for s in by_threads} == {"torch:eager"}
    assert [p.value for p in by_threads[0].points] == [1, 2, 4, 8]


@pytest.mark.parametrize(("place", "gain"), [(0, 1.0), (1, 2.4), (2, 3.0), (3, 6.0)])
def test_what_is_gained_and_how_efficiently(by_threads, place, gain):
    sweep = by_threads[0]
    assert sweep.gained(place) == pytest.approx(gain, rel=0.02)
    assert sweep.efficiency(place) == pytest.approx(gain / sweep.points[place].value, rel=0.02)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_gain_has_an_interval_of_the_pairs_of_its_case(by_threads, place):
    sweep = by_threads[0]
    gain = sweep.gain(0, place)
    assert gain.low < sweep.gained(place) < gain.high
    assert gain.high / gain.low < 1.02


def test_batch_sizes_are_held_together_generation_by_generation(known):
    """They were visited in rounds of their own, here with one disturbance in common."""
    sweep = sweeps(with_batches(known.measured))[0]
    gain = sweep.gain(0, 1)
    assert gain.low < 1.0 < gain.high
    assert gain.generations == 6


def test_batch_sizes_are_a_sweep_with_the_largest_within_a_latency(known):
    sweep = sweeps(with_batches(known.measured))[0]
    assert (sweep.axis, sweep.batch_size) == (BATCH, None)
    assert [p.value for p in sweep.points] == [8, 16, 32, 64]
    assert sweep.within(4.5e-3).value == 16
    assert sweep.within(1e-3) is None


def swept(*throughputs, axis=THREADS, error=0.01, values=None, unit=EXAMPLES):
    """A sweep of these throughputs at 1, 2, 4 ... threads, their ratios known up to `error`."""
    values = values or [2**place for place in range(len(throughputs))]
    points = []
    for value, per_s in zip(values, throughputs, strict=True):
        batch = value if axis is BATCH else 8
        call_s = batch * unit.each / per_s
        call = Estimate(call_s, call_s / (1 + error), call_s * (1 + error), 3)
        points.append(SweepPoint(value, batch, call, unit))
    gains = {}
    for earlier, later in combinations(range(len(points)), 2):
        ratio = points[later].per_s / points[earlier].per_s
        gains[earlier, later] = Estimate(ratio, ratio / (1 + error), ratio * (1 + error), 3)
    return Sweep(axis, "w", 8, "infer", "torch:eager", "torch", tuple(points), gains)


GAINS = [
    ("to the end", (100, 150, 200), 2),
    ("a tenth is too little", (100, 150, 160), 1),
    ("from the first on", (100, 105, 103), 0),
    ("a later gain counts", (100, 105, 200), 2),
    ("small gains add up", (100, 108, 116), 1),
]


@pytest.mark.parametrize(
    ("throughputs", "place"), [case[1:] for case in GAINS], ids=[case[0] for case in GAINS]
)
def test_where_an_arm_stops_gaining(throughputs, place):
    assert swept(*throughputs).enough == place


SAID = [
    (
        "it stops",
        swept(100, 150, 160),
        ["throughput stops gaining at 2 threads (150 examples/s)"],
    ),
    (
        "it gains",
        swept(100, 150, 200),
        [
            "throughput gains to the end, 4 threads "
            "(200 examples/s, 1.3x [1.3, 1.3] that of 2 threads)"
        ],
    ),
    ("the error is too large to say", swept(100, 150, 160, error=0.1), []),
    (
        "a type is faster",
        swept(100, 190, axis=TYPE, values=["float32", "bfloat16"]),
        ["bfloat16 is 1.9x [1.9, 1.9] faster than float32"],
    ),
    (
        "a type is slower",
        swept(100, 50, axis=TYPE, values=["float32", "float64"]),
        ["float64 is 2.0x [2.0, 2.0] slower than float32"],
    ),
    (
        "a type is the same",
        swept(100, 100.2, axis=TYPE, values=["float32", "bfloat16"]),
        ["bfloat16 is as fast as float32"],
    ),
    (
        "a type cannot be told",
        swept(100, 104, axis=TYPE, values=["float32", "bfloat16"], error=0.1),
        [],
    ),
    (
        "the best batch",
        swept(100, 300, 310, axis=BATCH, values=[1, 64, 128]),
        [
            "throughput stops gaining at batch 64 (300 examples/s)",
            "best batch size for throughput: 128; largest for a latency: 1 within 100 ms",
        ],
    ),
    (
        "batches that cannot be told apart",
        swept(100, 300, 301, axis=BATCH, values=[1, 64, 128]),
        [
            "throughput stops gaining at batch 64 (300 examples/s)",
            "best batch size for throughput: 128, not told from 64; "
            "largest for a latency: 1 within 100 ms",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sweep", "said"), [c[1:] for c in SAID], ids=[c[0] for c in SAID])
def test_only_what_the_intervals_bear_is_said(sweep, said):
    assert certain(sweep, theta=0.02) == said


@pytest.mark.parametrize(
    ("sweep", "ending"),
    [
        (swept(100, 150, 160, error=0.1), "10 % is undecided; by its medians at 2 threads"),
        (
            swept(100, 104, axis=TYPE, values=["float32", "bfloat16"], error=0.1),
            "bfloat16 cannot be told from float32",
        ),
    ],
)
def test_what_they_do_not_bear_is_told_as_undecided(sweep, ending):
    (said,) = sentences(sweep, theta=0.02)
    assert said.startswith("w/8, inference with torch:eager: ")
    assert said.endswith(ending)


def test_arms_that_say_the_same_are_one_sentence_of_the_answer():
    one = swept(100, 50, axis=TYPE, values=["float32", "float64"])
    lines = headlines([one, replace(one, arm="jax:jit")], theta=0.02, most=3)
    assert lines == [
        "Inference of w/8: float64 is 2.0x [2.0, 2.0] slower than float32 with torch:eager and "
        "jax:jit."
    ]


def test_the_section_says_it_in_a_sentence_a_table_and_a_chart(known):
    section = scaling(replace(known, measured=with_threads(known.measured)))
    said = section.sentences[0]
    assert said.startswith("mlp_digits/64, training with torch:eager: throughput gains to the end")
    assert "8 threads" in said
    (table,) = section.tables
    assert [row[6].text for row in table.rows[:4]] == ["1.00x", "2.4x", "3.0x", "6.0x"]
    assert len(section.charts) == 4
    assert "<svg" in drawn(section.charts[0].spec({"numpy": 0, "torch": 1}), "a sweep")


def test_the_answer_says_what_is_certain(known):
    swept_run = replace(known, measured=with_threads(known.measured))
    said = [
        line for line in reporting.section_of(swept_run, "answer").conclusions if "gains" in line
    ]
    assert said[0].startswith("Training of mlp_digits/64: throughput gains to the end, 8 threads")


def test_in_a_terminal_a_plot_stands_beside_the_figures(known):
    text = reporting.printed(
        replace(known, measured=with_threads(known.measured)), width=140, only="scaling"
    )
    bars = [line.split()[-1] for line in text.splitlines() if line.rstrip().endswith("#")]
    assert [len(bar) for bar in bars[:4]] == [3, 8, 10, 20]


def with_lengths(run):
    """The two workloads as one network with sequences of 64 and 128 tokens."""
    names = dict(zip(reporting.WORKLOADS, ("gpt[tokens=64]", "gpt"), strict=True))
    lengths = dict(zip(names.values(), (64, 128), strict=True))

    def of(cell):
        case = CaseKey(names[cell.workload], cell.batch_size)
        return replace(cell, workload=case.workload, key=replace(cell.key, case=case))

    settings = replace(
        run.settings,
        parameters={name: {"tokens": each, "width": 8} for name, each in lengths.items()},
        units={name: Unit("tokens", each) for name, each in lengths.items()},
    )
    changed = replace(run, cells=tuple(map(of, run.cells)))
    changed.__dict__["settings"] = settings
    return changed


def test_a_parameter_of_a_network_is_an_axis(known):
    found = sweeps(with_lengths(known.measured))
    assert {sweep.axis for sweep in found} == {Axis(Kind.PARAMETER, "tokens")}
    assert {(sweep.workload, sweep.phase) for sweep in found} == {
        ("gpt", "train_step"),
        ("gpt", "infer"),
    }
    assert [point.value for point in found[0].points] == [64, 128]


def test_a_longer_sequence_in_the_same_time_is_more_tokens(known):
    run = with_lengths(known.measured)
    (first, *_) = [text for sweep in sweeps(run) for text in certain(sweep, theta=0.02)]
    assert first.startswith("tokens from 64 to 128: 1.0")
    assert first.endswith("as long a call")
    (tokens, *_) = [text for sweep in sweeps(run) for text in certain(sweep, theta=0.02)[1:]]
    assert tokens.startswith("2.0x [2.0, 2.1] as many tokens/s at tokens=128 as at tokens=64")
