"""Change points in a series: where one is, that chance shows none, and that the study's rule is
this one.
"""

import numpy as np
import pytest
from dnnbench.stats.change_limits import LEAST_POINTS, LEAST_SIDE, WINDOW, limit_of
from dnnbench.stats.change_points import (
    evidence_at,
    find_change_points,
    neighbour_correlation,
    possible_places,
    proposed_place,
    variance_of_mean,
)
from history_study.nightly import looks
from history_study.simulating import Parts, simulate, with_change, with_drift

QUIET = Parts(within=0.003, runs=0.008, days=0.005)
LIMIT = limit_of(1)


def draw(seed):
    return np.random.default_rng(seed)


def one(seed, nights=WINDOW, parts=QUIET):
    return simulate(parts, 1, draw(seed), nights)[0]


@pytest.mark.parametrize("night", [10, 25, 45])
def test_a_change_is_found_where_it_is(night):
    (change,) = find_change_points(with_change(one(1)[None], night, 0.1)[0], LIMIT)
    assert change.place == night
    assert change.earliest <= night <= change.latest
    assert night + LEAST_SIDE - 1 <= change.seen < night + 6
    assert change.evidence.estimate.value == pytest.approx(1.1, abs=0.02)
    assert not change.is_drift


def test_of_equal_runs_no_change_is_found():
    assert [find_change_points(one(seed), LIMIT) for seed in range(20)] == [[]] * 20


def test_a_change_and_its_repair_are_both_found():
    series = with_change(with_change(one(3)[None], 20, 0.1), 40, 1 / 1.1 - 1)[0]
    change_points = find_change_points(series, LIMIT)
    assert [change.place for change in change_points] == [20, 40]
    assert [np.sign(change.evidence.change) for change in change_points] == [1, -1]


def test_a_change_that_was_reported_does_not_vanish():
    series = with_change(with_change(one(3)[None], 20, 0.1), 40, 1 / 1.1 - 1)[0]
    first = find_change_points(series[:30], LIMIT)
    assert find_change_points(series, LIMIT)[:1] == first


def test_a_drift_is_called_one():
    change_points = find_change_points(with_drift(one(11)[None], 0.06)[0], LIMIT)
    assert change_points
    assert change_points[0].is_drift


def test_a_change_below_a_percent_is_none_however_certain():
    series = with_change(one(5, parts=Parts(0, 1e-5, 0))[None], 30, 0.005)[0]
    assert find_change_points(series, LIMIT) == []


def test_one_outlier_is_no_change():
    series = one(6)
    series[30] += np.log(1.5)
    assert find_change_points(series, LIMIT) == []


def test_outliers_beside_a_run_as_before_are_no_change():
    series = one(6)
    series[-4:] += np.log([1.2, 1.2, 1.0, 1.2])
    evidence = evidence_at(series, proposed_place(series))
    assert evidence.p < LIMIT
    assert find_change_points(series, LIMIT) == []


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("r", [0.0, 0.3, 0.8])
def test_the_variance_of_a_mean_is_that_of_an_autoregression(count, r):
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    assert variance_of_mean(count, r) == pytest.approx((r**apart).mean())


def test_without_correlation_the_evidence_is_students_t():
    from scipy import stats

    # An alternation: neighbours' correlation is negative, and counts as none.
    series = np.tile([0.0, 1.0], 10) + np.repeat([0.0, 3.0], 10)
    evidence = evidence_at(series, 10)
    student = stats.ttest_ind(series[10:], series[:10])
    assert evidence.p == pytest.approx(student.pvalue)
    assert evidence.freedom == student.df


def test_points_that_resemble_their_neighbours_make_weaker_evidence():
    carried = simulate(Parts(0, 0, 0.01, carry=0.8), 1, draw(7))[0]
    shuffled = draw(8).permutation(carried)
    weak, strong = (
        neighbour_correlation(values - values.mean(), 30) for values in (carried, shuffled)
    )
    assert weak > 0.4 > strong


def test_the_place_that_ruptures_proposes_leaves_the_smallest_squares():
    series = one(9)
    squares = {
        k: series[:k].var() * k + series[k:].var() * (WINDOW - k)
        for k in range(LEAST_SIDE, WINDOW - LEAST_SIDE + 1)
    }
    assert proposed_place(series) == min(squares, key=squares.get)
    assert proposed_place(series) in possible_places(series)


def test_the_rule_of_the_study_is_that_of_the_product():
    series = with_change(simulate(Parts(0.003, 0.006, 0.006, carry=0.5), 40, draw(10)), 35, 0.05)
    alarms = looks(series)
    reported = alarms.alarms(LIMIT)
    assert reported.any()
    for row, values in enumerate(series):
        change_points = find_change_points(values, LIMIT)
        nights = np.flatnonzero(reported[row])
        assert ([change_points[0].seen, change_points[0].place] if change_points else []) == (
            [nights[0], alarms.place[row, nights[0]]] if len(nights) else []
        )


def test_p_values_of_the_study_are_those_of_the_product():
    series = simulate(Parts(0.003, 0.006, 0.006, carry=0.5), 3, draw(11))
    alarms = looks(series)
    for size in (LEAST_POINTS, 33, WINDOW):
        for row, values in enumerate(series[:, :size]):
            evidence = evidence_at(values, proposed_place(values))
            assert np.exp(alarms.log_p[row, size - 1]) == pytest.approx(evidence.p)


def test_more_cells_share_the_chance_of_a_false_change():
    limits = [limit_of(cells) for cells in (1, 10, 100)]
    assert limits == sorted(limits, reverse=True)
