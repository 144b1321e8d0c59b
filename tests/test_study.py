"""The study in tests/benchmarks/study: its replay on recordings whose truth is known, and a tiny recording of its own."""

import dataclasses
import math
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import UsageError, WorkerError
from dnnbench.measure.contention import STEAL, SWITCHED
from dnnbench.measure.rounds import schedule
from dnnbench.measure.verdict import SAME, SLOWER, UNDECIDED

BENCHMARKS = Path(__file__).parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from study import __main__ as command  # noqa: E402
from study import (  # noqa: E402
    coverage,
    cuts,
    hog,
    noise,
    outcomes,
    page,
    peers,
    placement,
    recordings,
    sitting,
    tables,
    targets,
    two_stages,
)
from study.bounds import Count  # noqa: E402
from study.findings import Findings  # noqa: E402
from study.judging import keeping_all, pooled, unpaired, verdict  # noqa: E402
from study.kinds import KINDS, Kind  # noqa: E402
from study.limits import by_position, order_bias, spread  # noqa: E402
from study.measure import record  # noqa: E402
from study.side_by_side import Beside, better_on_both  # noqa: E402
from study.step import STEPS  # noqa: E402
from study.trial import Trial  # noqa: E402

CALL_S = 2e-3
TINY = Kind("tiny", {"base": 10, "twin": 10, "+10 %": 11}, (("twin", "base"), ("+10 %", "base")), 0.02, generations=2)


def synthetic(
    kind="quick", seed=0, process=0.002, visit=0.01, late=0.0, flags=0, scale=None, seconds=10, call_s=CALL_S
):
    """A trial of simulated visits.

    process: sd of each process's own speed.  late: log cost of each later position.  scale: arm -> log factor more.
    """
    kind, draw = KINDS[kind], np.random.default_rng(seed)
    arms, rounds = list(kind.arms), round(seconds / kind.generations / (2 * call_s))
    size = kind.generations * rounds
    orders = islice(schedule({"infer": arms}, seed), size)
    position = np.array([[order.index(arm) for arm in arms] for [(_, order)] in orders])
    generation = np.repeat(np.arange(kind.generations), rounds)
    own = draw.normal(0, process, (kind.generations, len(arms)))[generation]
    machine = np.where(draw.random((size, 1)) < 0.3, 0.4, 0.0)
    work = np.log([kind.arms[arm] / 100 for arm in arms]) + np.array([(scale or {}).get(arm, 0.0) for arm in arms])
    logs = work + own + machine + late * position + draw.normal(0, visit, (size, len(arms)))
    facts = {
        "began": f"2026-01-01T00:{seed % 60:02d}:00",
        "seconds_a_cell": seconds,
        "starts_s": [1.0] * kind.generations,
        "machine": "2 cores of a machine",
        "versions": {"numpy": "0"},
    }
    return Trial(
        kind.name, kind.arms, kind.pairs, 1, generation, np.broadcast_to(flags, size), np.full(size, 1e-3),
        call_s * np.exp(logs), position, facts,
    )  # fmt: skip


def nested(processes, builds, seed, visit=0.01):
    """A trial of kind `rebuilt` whose processes and builds have speeds of their own with these sds."""
    draw, kind, rounds = np.random.default_rng(seed), KINDS["rebuilt"], 60
    count = kind.generations * kind.builds
    generation = np.repeat(np.arange(count), rounds)
    of_process = np.repeat(draw.normal(0, processes, (kind.generations, 6)), kind.builds, axis=0)
    logs = (of_process + draw.normal(0, builds, (count, 6)))[generation] + draw.normal(0, visit, (len(generation), 6))
    facts = {"began": "2026-01-01", "builds": kind.builds, "step": "numpy", "starts_s": [4.0], "rebuilds_s": [0.1]}
    nothing = np.zeros(len(generation))
    position = np.broadcast_to(np.arange(6), logs.shape)
    return Trial(
        kind.name, kind.arms, kind.pairs, 1, generation, nothing, nothing, CALL_S * np.exp(logs), position, facts
    )


@pytest.mark.parametrize(("processes", "builds"), [(0.01, 0.0), (0.0, 0.01), (0.005, 0.01), (0.0, 0.0)])
def test_processes_and_builds_are_told_apart(processes, builds):
    found = placement.placement([nested(processes, builds, seed) for seed in range(40)])
    assert found.n == 120
    assert found.processes == pytest.approx(2**0.5 * processes, rel=0.15, abs=0.003)
    assert found.builds == pytest.approx(2**0.5 * builds, rel=0.15, abs=0.0015)
    assert found.rounds == pytest.approx(2**0.5 * 0.01 * (math.pi / 2 / 60) ** 0.5, rel=0.1)


@pytest.mark.parametrize(
    ("hits", "n", "upper", "lower"),
    [
        (0, 60, 0.0487, 0.0),
        (0, 300, 0.00994, 0.0),
        (60, 60, 1.0, 0.9513),
        (1, 300, 0.0157, 0.00017),
        (5, 10, 0.7776, 0.2224),
    ],
)
def test_limits_of_a_count(hits, n, upper, lower):
    count = Count(hits, n)
    assert count.upper == pytest.approx(upper, abs=2e-4)
    assert count.lower == pytest.approx(lower, abs=2e-4)


def test_limits_hold_as_often_as_they_say():
    """The chance of k or fewer hits at the upper limit is 5 %, summed term by term."""
    found = Count(3, 40)
    chance = sum(math.comb(40, k) * found.upper**k * (1 - found.upper) ** (40 - k) for k in range(4))
    assert chance == pytest.approx(0.05)


def test_equals_are_the_same_and_ten_percent_is_slower():
    trials = [synthetic(seed=seed) for seed in range(12)]
    found = outcomes.judged(trials)
    said = {extra: set(part["said"]) for extra, part in found.groupby("extra")}
    assert said[0.0] == {SAME}
    assert said[0.05] == said[0.1] == {SLOWER}
    assert UNDECIDED in said[0.02]
    confirmed = outcomes.gated(trials).groupby("extra")["confirmed"].mean().to_dict()
    assert confirmed[0.0] == confirmed[0.01] == 0 and confirmed[0.05] == confirmed[0.1] == 1


def test_the_gate_confirms_on_other_trials_than_it_screens():
    slow = synthetic(scale={"twin": 0.06}, seed=1)
    honest = synthetic(seed=2)
    assert two_stages.gate(slow, honest)["twin", "base"] == (True, False)
    assert two_stages.gate(slow, slow)["twin", "base"] == (True, True)
    assert two_stages.gate(honest, slow)["twin", "base"] == (False, False)
    spoilt = dataclasses.replace(slow, flags=np.full(len(slow.flags), STEAL))
    assert two_stages.gate(slow, spoilt)["twin", "base"] == (True, False)


def test_each_trial_is_confirmed_by_the_next_of_its_kind():
    trials = [synthetic(seed=0), synthetic("same", seed=1), synthetic(seed=2), synthetic(seed=3)]
    assert [(a.facts["began"], b.facts["began"]) for a, b in two_stages.in_twos(trials)] == [
        (trials[a].facts["began"], trials[b].facts["began"]) for a, b in ((0, 2), (2, 3), (3, 0))
    ]


def test_coverage_counts_intervals_that_hold_the_truth():
    found = outcomes.judged([synthetic(seed=seed) for seed in range(3)])
    assert coverage.nominal(found.assign(low=0.5, high=2.0)) == Count(15, 15)
    assert coverage.nominal(found.assign(low=np.exp(found["truth"]) + 1e-9)) == Count(0, 15)
    shifted = outcomes.judged([synthetic(seed=seed, scale={"twin": 0.05}) for seed in range(3)])
    twins = shifted[shifted["extra"] == 0]
    assert coverage.nominal(twins).hits == 0 and coverage.against_pooled(twins).hits >= 2
    assert coverage.bias(twins) == pytest.approx(0.05, abs=0.005)


def test_coverage_of_simulated_trials_is_ninety_five_percent():
    kind = dataclasses.replace(KINDS["quick"], seconds=1)
    found = outcomes.judged([synthetic(kind.name, seed, seconds=1, process=0.01) for seed in range(150)])
    one_pair_a_trial = found[found["extra"] == 0.05]
    held = coverage.nominal(one_pair_a_trial)
    assert Count(held.hits, held.n).upper > 0.95 > held.lower


def test_processes_are_the_unit():
    """Rounds as the unit raise alarms between processes of different speed; the product does not."""
    trials = [synthetic("same", seed, process=0.05) for seed in range(10)]
    alarms = {rule: outcomes.judged(trials, rule)["said"].eq(SLOWER).mean() for rule in (verdict, pooled)}
    assert alarms[verdict] <= 0.04 and alarms[pooled] > 0.15


def test_pairs_beat_medians_where_the_machine_changes():
    trials = [synthetic(seed=seed) for seed in range(6)]
    error = {rule: coverage.rms_error(outcomes.judged(trials, rule)) for rule in (verdict, unpaired)}
    assert error[verdict] < error[unpaired]


def test_contended_rounds_are_dropped_by_the_product_and_kept_by_the_ablation():
    trial = synthetic()
    noisy = np.arange(len(trial.flags)) % 3 == 0
    seconds = trial.seconds.copy()
    seconds[noisy, 1] *= 1.5
    flagged = dataclasses.replace(trial, seconds=seconds, flags=np.where(noisy, STEAL, 0))
    unflagged = keeping_all(flagged, "twin", "base").estimate.value
    assert verdict(flagged, "twin", "base").estimate.value == pytest.approx(1, abs=0.005) and unflagged > 1.003
    spoilt = dataclasses.replace(trial, flags=np.full(len(trial.flags), STEAL))
    assert verdict(spoilt, "+10 %", "base").text == UNDECIDED
    switched = dataclasses.replace(trial, flags=np.full(len(trial.flags), SWITCHED))
    assert verdict(switched, "+10 %", "base").text == SLOWER and not switched.contended.any() and spoilt.contended.all()


def test_prefixes_are_cut_alike_from_every_generation():
    trial = synthetic("long", seconds=60)
    short = cuts.first_seconds(trial, 10)
    for g in trial.generations:
        share_s = short.cell_s[short.generation == g].sum()
        assert share_s == pytest.approx(10 / 6, abs=0.02)
        assert (
            short.seconds[short.generation == g]
            == trial.seconds[trial.generation == g][: (short.generation == g).sum()]
        ).all()
    assert [len(outcomes.lasting([trial, synthetic()], seconds)) for seconds in outcomes.SECONDS] == [2, 1, 1]


def test_stretches_stand_for_longer_visits():
    trial = synthetic(visit=0.0, process=0.0)
    for length in (1, 4, 16):
        arm, base = cuts.stretches(trial, "+10 %", "base", length)
        assert len(arm.call_s) == len(base.call_s) == 6 * (len(trial.flags) // 6 // (2 * length))
        assert set((arm.position - base.position).tolist()) == {1, -1}
    arm, base = cuts.stretches(trial, "+10 %", "base", 1)
    place = list(trial.arms).index("+10 %")
    assert arm.call_s[:2] == pytest.approx(trial.seconds[[1, 2], place]) and base.call_s[1] == trial.seconds[3, 0]


@pytest.mark.parametrize(
    ("rule", "base", "arm", "slower"),
    [
        (peers.pytest_benchmark, [[1, 1, 1]], [[1.04, 1.06, 1.2]], True),
        (peers.pytest_benchmark, [[1, 1, 1]], [[1.04, 1.04, 1.2]], False),
        (peers.RULES["pytest-benchmark, min:5%"], [[1, 2, 2]], [[1.06, 1.06, 1.1]], True),
        (peers.RULES["pytest-benchmark, min:5%"], [[1, 1, 1]], [[1.04, 2, 2]], False),
        (peers.pyperf, [[1.0, 1.1, 0.9]] * 2, [[1.1, 1.2, 1.0]] * 2, False),  # t = 1.94 of 2.228
        (peers.pyperf, [[1.0, 1.1, 0.9]] * 2, [[1.15, 1.25, 1.05]] * 2, True),  # t = 2.90
        (peers.pyperf, [[1.15, 1.25, 1.05]] * 2, [[1.0, 1.1, 0.9]] * 2, False),
        (peers.asv, [np.linspace(1, 1.02, 20)], [np.linspace(1.12, 1.15, 20)], True),
        (peers.asv, [np.linspace(1, 1.02, 20)], [np.linspace(1.08, 1.09, 20)], False),
        (peers.asv, [[0.5, 1.0, 1.5, 3.0]], [[0.4, 1.2, 1.4, 3.1]], False),  # the median is 4 % up, nothing differs
        (peers.hyperfine, [[1.0], [1.1], [0.9]], [[1.5], [1.6], [1.4]], True),
        (peers.hyperfine, [[1.0], [1.1], [0.9]], [[1.2], [1.9], [0.8]], False),
        (peers.hyperfine, [[1.5], [1.6], [1.4]], [[1.0], [1.1], [0.9]], False),
    ],
)  # fmt: skip
def test_a_peers_rule_on_a_table_made_by_hand(rule, base, arm, slower):
    assert rule([np.array(p) for p in base], [np.array(p) for p in arm]) is slower


def test_peers_that_run_one_after_the_other_meet_the_drift():
    trial = synthetic(process=0.0)
    drifting = dataclasses.replace(trial, seconds=trial.seconds * np.exp(0.12 * (trial.generation > 2))[:, None])
    found = outcomes.peered([drifting])
    twins = found[(found["rule"] == "pytest-benchmark, median:5%") & (found["extra"] == 0)].set_index("order")["slower"]
    assert twins[outcomes.AFTER] and not twins[outcomes.IN_TURN]


@pytest.mark.parametrize(
    ("alarms", "found", "better"),
    [(0, 9, True), (2, 10, False), (0, 7, False)],
)
def test_a_peer_is_better_only_on_both_errors(alarms, found, better):
    def row(rule, alarms, found):
        return Beside(rule, "in turn", 10, {0.0: Count(alarms, 10), 0.05: Count(found, 10)})

    assert bool(better_on_both([row("dnnbench, verdict", 1, 8), row("other", alarms, found)])) is better


def test_bias_by_position_is_found_and_not_invented():
    fair, biased = ([synthetic("same", seed, late=late) for seed in range(4)] for late in (0.0, 0.01))
    assert np.mean(by_position(biased), axis=0) == pytest.approx(0.01 * (np.arange(6) - 2.5), abs=0.003)
    assert np.mean(by_position(fair), axis=0) == pytest.approx(np.zeros(6), abs=0.002)
    uneven = by_position([synthetic("quick", late=0.001, visit=0.001, process=0.0)])
    assert uneven[0] == pytest.approx(0.001 * (np.arange(6) - 2.5), abs=0.0005), "slower arms are no slower positions"
    assert np.mean(order_bias(biased)) > 0.01 > 0.005 > abs(np.mean(order_bias(fair)))


def test_spread_tells_processes_from_rounds():
    apart, alike = (spread([synthetic("same", s, process=p) for s in range(4)]) for p in (0.03, 0.0))
    assert apart.between == pytest.approx(0.03 * math.sqrt(2), rel=0.3) and apart.within < 0.003
    assert alike.between == pytest.approx(alike.within, rel=0.4)


def test_targets_are_met_and_missed(monkeypatch):
    monkeypatch.setattr(targets, "LEAST", 4)
    good = [synthetic("long", seed, seconds=60, call_s=0.2, process=0.001) for seed in range(4)]
    bad = [dataclasses.replace(trial, flags=np.full(len(trial.flags), STEAL)) for trial in good]
    met, missed, few = ([one.met for one in targets.targets(Findings(trials))] for trials in (good, bad, good[1:]))
    assert met == [None, None, True, True, True, True], "four trials are neither 300 comparisons nor 100 intervals"
    assert missed[2:5] == [False] * 3 and few == [None] * 6


def test_no_row_is_left_out_of_the_undecided(monkeypatch):
    monkeypatch.setattr(targets, "LEAST", 2)
    monkeypatch.setattr(targets, "LEAST_ELSEWHERE", 2)

    def undecided(trials):
        return targets.targets(Findings(trials))[4]

    quiet = [synthetic(seed=seed, process=0.001) for seed in range(2)]
    alike, unlike = ([synthetic("jax", seed, process=process) for seed in range(2)] for process in (0.001, 0.1))
    assert undecided(quiet + alike).met is True and undecided(quiet + alike[:1]).met is None
    found = undecided(quiet + unlike)
    assert found.met is False and "2 of 2" in found.reached and ": jax, " in found.reached


def test_flags_are_counted_by_kind():
    flags = np.zeros(len(synthetic().flags), int)
    flags[::4], flags[1::2] = STEAL | SWITCHED, SWITCHED
    text = tables.flagged([synthetic(flags=flags), synthetic("drift")])
    assert "| quick |" in text and "| 25.02% | 0.00% | 0.00% | 75.02% |" in text
    assert "| drift |" in text and text.rstrip().endswith("| 0.00% | 0.00% | 0.00% | 0.00% |")


def test_tables_tell_every_verdict_and_the_limit_of_the_one_that_counts():
    one_alike = [synthetic(seed=seed, process=0.001, scale={"+5 %": -0.05 * (seed == 0)}) for seed in range(3)]
    text = tables.verdicts({10.0: outcomes.judged(one_alike)})
    assert "| 10 s | SAME 3 (alarms at most 63.2%) |" in text
    assert "| SLOWER 2, SAME 1 (SLOWER at least 14%) | SLOWER 3 (SLOWER at least 37%) |" in text
    gated = outcomes.gated([synthetic(seed=seed, process=0.001) for seed in range(2)])
    assert "2 of 2 (100%, at least 22%); flagged 2" in tables.gates({"quick": gated})


def test_a_worker_of_another_step_imports_nothing_of_a_network():
    told = "import sys, study.step; print([m for m in sys.modules if m.startswith('dnnbench.spec')])"
    found = subprocess.run([sys.executable, "-c", told], cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("count", (0, 1, 3))
def test_the_page_stands_on_whatever_is_recorded(tmp_path, count):
    trials = [synthetic(kind, seed) for kind in ("same", "quick", "drift") for seed in range(count)]
    text = page.write(trials, tmp_path, 0).read_text()
    assert text.startswith("# Does it tell the truth?") and "{" not in text and "nan" not in text
    if count == 3:
        assert "\n| 10 s | SAME 12 (alarms at most 22.1%) |" in text and "## Targets" in text
        assert all((tmp_path / f"proof_{name}.svg").read_text().startswith("<svg") for name in page.PLOTS)


@pytest.fixture
def worker_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(BENCHMARKS), prepend=os.pathsep)


@pytest.mark.parametrize("step", STEPS)
def test_more_repeats_are_more_work(worker_path, step):
    few, many = (1, 10) if "network" in step else (10, 1000)
    arms = {"few": few, "many": many}
    trial = record(Kind("work", arms, (("many", "few"),), 0.05, generations=1, step=step), 7)
    ratio = np.median(trial.visits("many").call_s) / np.median(trial.visits("few").call_s)
    assert ratio > 3, f"{many} repeats took {ratio:.2f} times as long as {few}"


def test_a_recording_comes_back_as_it_was_measured(tmp_path, worker_path):
    trial = record(TINY, 7)
    recordings.append(tmp_path / "one.npz", trial)
    (again,) = recordings.read(tmp_path)
    assert (again.kind, again.arms, again.pairs, again.calls) == (trial.kind, trial.arms, trial.pairs, trial.calls)
    assert again.seconds == pytest.approx(trial.seconds, rel=6.2e-5)
    assert (again.generation == trial.generation).all() and again.generations == [0, 1]
    assert (np.sort(again.position, axis=1) == np.arange(3)).all() and (again.control_s > 0).all()
    for g in again.generations:
        assert again.cell_s[again.generation == g].sum() == pytest.approx(0.01, rel=0.5)
    assert len(again.facts["starts_s"]) == 2 and again.sitting == "one"


def test_each_build_of_each_process_is_recorded_apart(worker_path):
    trial = record(dataclasses.replace(TINY, builds=2), 7)
    assert trial.generations == [0, 1, 2, 3] and trial.facts["builds"] == 2
    assert len(trial.facts["starts_s"]) == len(trial.facts["rebuilds_s"]) == 2
    for g in trial.generations:
        assert trial.cell_s[trial.generation == g].sum() == pytest.approx(0.005, rel=0.6)
    assert placement.table_of([trial]).count("| numpy |") == 1


def test_an_interrupted_sitting_keeps_its_whole_trials_and_the_next_adds_to_them(tmp_path, monkeypatch):
    measured = []

    def measure(kind, seed):
        measured.append(kind.name)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return synthetic(kind.name, len(measured))

    monkeypatch.setattr(sitting, "record", measure)
    kinds = [dataclasses.replace(KINDS[name], seconds=0.01, generations=1) for name in ("same", "quick")]
    with pytest.raises(KeyboardInterrupt):
        sitting.sit(kinds, 1, tmp_path, print)
    assert [trial.kind for trial in recordings.read(tmp_path)] == ["same", "quick"]
    before = {path: path.read_bytes() for path in tmp_path.glob("*.npz")}
    (path,) = before
    path.rename(tmp_path / "earlier.npz")
    (tmp_path / "earlier.part").write_bytes(b"half a file")
    monkeypatch.setattr(sitting, "now", iter([0.0, 0.0, 1.0, 2.0, 2.0, 59.5]).__next__)
    assert sitting.sit(kinds, 1, tmp_path, print) == 1
    assert [trial.kind for trial in recordings.read(tmp_path)] == ["same", "quick", "same"]


def test_a_trial_that_loses_a_worker_is_told_and_not_kept(tmp_path, monkeypatch):
    def measure(kind, seed):
        raise WorkerError("gone")

    said = []
    monkeypatch.setattr(sitting, "record", measure)
    assert sitting.sit([KINDS["quick"]], 2, tmp_path, said.append) == 0
    assert said and all("not kept: gone" in line for line in said) and not list(tmp_path.iterdir())


def test_an_unknown_kind_is_refused():
    with pytest.raises(UsageError, match="no kind 'slow'; choose of same, quick"):
        command._kinds("same,slow")


def test_hogs_follow_the_trial():
    shares = {
        name: [(told.start, told.end) if (told := make(g / 4, 1 / 4)) else None for g in range(4)]
        for name, make in noise.NOISES.items()
    }
    assert shares["drift"] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]
    assert shares["late_hog"] == [None, None, (0.5, 0.5), (0.5, 0.5)]
    assert hog.share_at(5, 0.2, 0.6, 10) == pytest.approx(0.4) and hog.share_at(50, 0.2, 0.6, 10) == 0.6


def test_a_hog_burns_its_share_and_is_gone_afterwards(worker_path):
    import psutil

    with noise.noisy(noise.Hog("cpu", 1.0, 1.0), [min(os.sched_getaffinity(0))], 1, 3):
        (child,) = [p for p in psutil.Process().children() if "study.hog" in p.cmdline()]
        while sum(child.cpu_times()[:2]) < 0.5:
            assert child.is_running()
    assert not child.is_running()
