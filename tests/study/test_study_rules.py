"""The study's rules, limits and counts on trials whose truth is known."""

import dataclasses
import math

import numpy as np
import pytest
from dnnbench.stats.flags import STEAL, SWITCHED
from dnnbench.stats.verdict import Verdict
from helpers.simulating import nested, synthetic
from study import (
    between,
    coverage,
    cuts,
    outcomes,
    peers,
    placement,
    starts,
    two_stages,
)
from study.bounds import Count
from study.judging import keeping_all, pooled, unpaired, verdict
from study.kinds import KINDS
from study.limits import by_position, order_bias, planned, spread
from study.side_by_side import Beside, better_on_both

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("processes", "builds"), [(0.01, 0.0), (0.0, 0.01), (0.005, 0.01), (0.0, 0.0)]
)
def test_processes_and_builds_are_told_apart(processes, builds):
    found = placement.placement([nested(processes, builds, seed) for seed in range(40)])
    assert found.n == 120
    assert found.processes == pytest.approx(2**0.5 * processes, rel=0.15, abs=0.003)
    assert found.builds == pytest.approx(2**0.5 * builds, rel=0.15, abs=0.0015)
    assert found.rounds == pytest.approx(2**0.5 * 0.01 * (math.pi / 2 / 60) ** 0.5, rel=0.1)


def test_limits_of_processes_and_builds_hold_in_19_trials_of_20():
    found = [placement.placement([nested(0.005, 0.003, seed)]) for seed in range(200)]
    for name, truth in (("processes", 0.005), ("builds", 0.003)):
        held = np.mean([getattr(one, f"{name}_at_most") > 2**0.5 * truth for one in found])
        assert 0.90 < held < 0.99, f"{name}: {held:.0%}"


@pytest.mark.parametrize("kept", (0.0, 0.004))
def test_what_arms_keep_through_a_trial_is_told_from_what_a_process_has_by_luck(kept):
    trials = [
        synthetic("same", seed, process=0.003, scale={"base": kept, "twin 2": -kept})
        for seed in range(40)
    ]
    found = [starts.kept_by_arms(trial) for trial in trials]
    assert np.mean([one.within for one in found]) ** 0.5 == pytest.approx(0.003, rel=0.1)
    assert np.mean([one.kept for one in found]) == pytest.approx(
        kept**2 * 2 / 5, rel=0.25, abs=6e-7
    )
    certain = sum(one.p < 0.01 for one in found)
    assert certain <= 3 if not kept else certain >= 20, certain


def test_starts_are_told_by_kind_and_way_and_a_spoilt_trial_is_left_out():
    trials = [
        synthetic("same", 0),
        synthetic("same", 1),
        synthetic("on_lines", 2),
        synthetic("same", 3, flags=STEAL),
    ]
    trials[1].facts["starts"] = starts.DRAWN
    rows = starts.table_of(trials).splitlines()[2:]
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| same", "in one order", "1"],
        ["| same", "in an order drawn anew", "1"],
        ["| on_lines", "in one order", "1"],
    ]


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
    chance = sum(
        math.comb(40, k) * found.upper**k * (1 - found.upper) ** (40 - k) for k in range(4)
    )
    assert chance == pytest.approx(0.05)


def test_equals_are_the_same_and_ten_percent_is_slower():
    trials = [synthetic(seed=seed) for seed in range(12)]
    found = outcomes.judged(trials)
    said = {extra: set(part["said"]) for extra, part in found.groupby("extra")}
    assert said[0.0] == {Verdict.SAME}
    assert said[0.05] == said[0.1] == {Verdict.SLOWER}
    assert Verdict.UNDECIDED in said[0.02]
    confirmed = outcomes.gated(trials).groupby("extra")["confirmed"].mean().to_dict()
    assert confirmed[0.0] == confirmed[0.01] == 0
    assert confirmed[0.05] == confirmed[0.1] == 1


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


def test_a_gate_never_confirms_on_another_machine_than_it_screened():
    trials = [synthetic(seed=seed) for seed in range(5)]
    for trial, machine in zip(trials, "ababa", strict=True):
        trial.facts["machine"] = machine
    pairs = list(two_stages.in_twos(trials))
    assert len(pairs) == 5
    assert all(screen.facts["machine"] == fresh.facts["machine"] for screen, fresh in pairs)
    assert len(list(two_stages.in_twos(trials[:3]))) == 2, (
        "the one trial of b has no other to confirm it"
    )


def test_coverage_counts_intervals_that_hold_the_truth():
    found = outcomes.judged([synthetic(seed=seed) for seed in range(3)])
    assert coverage.nominal(found.assign(low=0.5, high=2.0)) == Count(15, 15)
    assert coverage.nominal(found.assign(low=np.exp(found["truth"]) + 1e-9)) == Count(0, 15)
    shifted = outcomes.judged([synthetic(seed=seed, scale={"twin": 0.05}) for seed in range(3)])
    twins = shifted[shifted["extra"] == 0]
    assert coverage.nominal(twins).hits == 0
    assert coverage.against_pooled(twins).hits >= 2
    assert coverage.bias(twins) == pytest.approx(0.05, abs=0.005)


def test_coverage_of_simulated_trials_is_ninety_five_percent():
    kind = dataclasses.replace(KINDS["quick"], seconds=1)
    found = outcomes.judged(
        [synthetic(kind.name, seed, seconds=1, process=0.01) for seed in range(150)]
    )
    one_pair_a_trial = found[found["extra"] == 0.05]
    held = coverage.nominal(one_pair_a_trial)
    assert Count(held.hits, held.n).upper > 0.95 > held.lower


def test_processes_are_the_unit():
    """Rounds as the unit raise alarms between processes of different speed.

    The product does not.
    """
    trials = [synthetic("same", seed, process=0.05) for seed in range(10)]
    alarms = {
        rule: outcomes.judged(trials, rule)["said"].eq(Verdict.SLOWER).mean()
        for rule in (verdict, pooled)
    }
    assert alarms[verdict] <= 0.04
    assert alarms[pooled] > 0.15


def test_pairs_beat_medians_where_the_machine_changes():
    trials = [synthetic(seed=seed) for seed in range(6)]
    error = {
        rule: coverage.rms_error(outcomes.judged(trials, rule)) for rule in (verdict, unpaired)
    }
    assert error[verdict] < error[unpaired]


def test_contended_rounds_are_dropped_by_the_product_and_kept_by_the_ablation():
    trial = synthetic()
    noisy = np.arange(len(trial.flags)) % 3 == 0
    seconds = trial.seconds.copy()
    seconds[noisy, 1] *= 1.5
    flagged = dataclasses.replace(trial, seconds=seconds, flags=np.where(noisy, STEAL, 0))
    unflagged = keeping_all(flagged, "twin", "base").estimate.value
    assert verdict(flagged, "twin", "base").estimate.value == pytest.approx(1, abs=0.005)
    assert unflagged > 1.003
    spoilt = dataclasses.replace(trial, flags=np.full(len(trial.flags), STEAL))
    assert verdict(spoilt, "+10 %", "base").text == Verdict.UNDECIDED
    switched = dataclasses.replace(trial, flags=np.full(len(trial.flags), SWITCHED))
    assert verdict(switched, "+10 %", "base").text == Verdict.SLOWER
    assert not switched.contended.any()
    assert spoilt.contended.all()


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
    assert [
        len(outcomes.lasting([trial, synthetic()], seconds)) for seconds in outcomes.SECONDS
    ] == [2, 1, 1]


def test_stretches_stand_for_longer_visits():
    trial = synthetic(visit=0.0, process=0.0)
    for length in (1, 4, 16):
        arm, base = cuts.stretches(trial, "+10 %", "base", length)
        assert len(arm.call_s) == len(base.call_s) == 6 * (len(trial.flags) // 6 // (2 * length))
        assert set((arm.position - base.position).tolist()) == {1, -1}
    arm, base = cuts.stretches(trial, "+10 %", "base", 1)
    place = list(trial.arms).index("+10 %")
    assert arm.call_s[:2] == pytest.approx(trial.seconds[[1, 2], place])
    assert base.call_s[1] == trial.seconds[3, 0]


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
        (peers.asv, [[0.5, 1.0, 1.5, 3.0]], [[0.4, 1.2, 1.4, 3.1]], False),  # 4 % up, all the same
        (peers.hyperfine, [[1.0], [1.1], [0.9]], [[1.5], [1.6], [1.4]], True),
        (peers.hyperfine, [[1.0], [1.1], [0.9]], [[1.2], [1.9], [0.8]], False),
        (peers.hyperfine, [[1.5], [1.6], [1.4]], [[1.0], [1.1], [0.9]], False),
    ],
)  # fmt: skip
def test_a_peers_rule_on_a_table_made_by_hand(rule, base, arm, slower):
    assert rule([np.array(p) for p in base], [np.array(p) for p in arm]) is slower


def test_peers_that_run_one_after_the_other_meet_the_drift():
    trial = synthetic(process=0.0)
    drifting = dataclasses.replace(
        trial, seconds=trial.seconds * np.exp(0.12 * (trial.generation > 2))[:, None]
    )
    found = outcomes.peered([drifting])
    twins = found[
        (found["rule"] == "pytest-benchmark, median:5%") & (found["extra"] == 0)
    ].set_index("order")["slower"]
    assert twins[outcomes.AFTER]
    assert not twins[outcomes.IN_TURN]


@pytest.mark.parametrize(
    ("alarms", "found", "better"),
    [(0, 9, True), (2, 10, False), (0, 7, False)],
)
def test_a_peer_is_better_only_on_both_errors(alarms, found, better):
    def row(rule, alarms, found):
        return Beside(rule, "in turn", 10, {0.0: Count(alarms, 10), 0.05: Count(found, 10)})

    assert (
        bool(better_on_both([row("dnnbench, verdict", 1, 8), row("other", alarms, found)]))
        is better
    )


def test_bias_by_position_is_found_and_not_invented():
    fair, biased = (
        [synthetic("same", seed, late=late) for seed in range(4)] for late in (0.0, 0.01)
    )
    assert np.mean(by_position(biased), axis=0) == pytest.approx(
        0.01 * (np.arange(6) - 2.5), abs=0.003
    )
    assert np.mean(by_position(fair), axis=0) == pytest.approx(np.zeros(6), abs=0.002)
    uneven = by_position([synthetic("quick", late=0.001, visit=0.001, process=0.0)])
    assert uneven[0] == pytest.approx(0.001 * (np.arange(6) - 2.5), abs=0.0005), (
        "slower arms are no slower positions"
    )
    assert np.mean(order_bias(biased)) > 0.01 > 0.005 > abs(np.mean(order_bias(fair)))


def test_the_more_processes_differ_the_more_generations_auto_makes():
    counts = [planned(synthetic("same", 1, process=process)) for process in (0.0, 0.003, 0.03)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert counts[0] >= 6
    few = synthetic("same", 1, process=0.03, seconds=0.1)
    assert planned(few) is None, "too few rounds"


def test_spread_tells_processes_from_rounds():
    apart, alike = (
        spread([synthetic("same", s, process=p) for s in range(4)]) for p in (0.03, 0.0)
    )
    assert apart.between == pytest.approx(0.03 * math.sqrt(2), rel=0.3)
    assert apart.within < 0.003
    assert alike.between == pytest.approx(alike.within, rel=0.4)


def recorded_runs(sd):
    """Ten runs of fifty cells that measured each in six generations.

    A run shifts all of its cells.
    """
    chance = np.random.default_rng(3)
    shifts = {str(run): sd * chance.standard_normal() for run in range(10)}
    return [
        {run: list(shift + 0.005 * chance.standard_normal(6)) for run, shift in shifts.items()}
        for _ in range(50)
    ]


def held(row):
    """Hits and trials of a row of the table of runs."""
    hits, n = (int(word) for word in row[1].split() if word.isdecimal())
    return hits / n


def test_pairs_of_runs_that_lie_apart_are_held_by_the_widened_interval_alone():
    within, widened = between.rows(recorded_runs(0.015))
    assert held(within) < 0.6
    assert held(widened) > 0.9


def test_pairs_of_runs_that_do_not_lie_apart_are_held_by_both():
    within, widened = between.rows(recorded_runs(0.0))
    assert within[1].endswith("of 2250 (95%)")
    assert held(widened) >= held(within)
