"""What a machine can tell: variances recovered from data whose truth is known,
and the real thing for a moment.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from dnnbench.errors import NothingMeasured
from dnnbench.execution.noise import SETTINGS, Noise, measure_noise
from dnnbench.execution.reporter import Silent
from dnnbench.stats.estimates import Pairs, mean_interval
from dnnbench.stats.noise import BUDGETS_S, floor, humps
from dnnbench.stats.split import Components, components

ROUNDS = 800
SECONDS = 10.0
"""Seconds of measuring: in 3 of them busy CPUs left one of two generations below its 16 rounds."""


def pairs_of(between_sd, round_sd, generations, seed=0):
    """Log pairs whose generations and rounds vary as told."""
    draw = np.random.default_rng(seed)
    own = draw.normal(0, between_sd, generations)[:, None]
    differences = (own + draw.normal(0, round_sd, (generations, ROUNDS))).ravel()
    generation, number = np.divmod(np.arange(generations * ROUNDS), ROUNDS)
    return Pairs(generation, number, differences, number % 2 == 0, np.ones(len(number), bool))


@pytest.mark.parametrize(("between_sd", "round_sd"), [(0.01, 0.02), (0.0, 0.05), (0.03, 0.001)])
def test_variances_are_recovered_from_data_that_has_them(between_sd, round_sd):
    visits_s = 4.0
    found = components(pairs_of(between_sd, round_sd, 400), visits_s, start_s=2.0)
    median_variance = math.pi / 2 * round_sd**2 / ROUNDS
    assert found.within_s == pytest.approx(median_variance * visits_s, rel=0.15)
    assert found.between == pytest.approx(between_sd**2, rel=0.2, abs=0.2 * median_variance)
    assert found.between < found.between_at_most


def test_what_is_foretold_of_longer_generations_comes_true():
    few, many = (
        components(pairs_of(0.002, 0.05, 200), 1.0, 0.0),
        pairs_of(0.002, 0.05 / 2, 200, seed=1),
    )
    assert few.sd(4.0) == pytest.approx(np.std(many.effects(), ddof=1), rel=0.15)


@pytest.mark.parametrize(
    ("within_s", "between", "start_s", "round_s", "visits_s", "generations"),
    [
        (4e-4, 1e-4, 1.0, 0.01, 60.0, 30),  # t = sqrt(1 x 4) = 2 s
        (4e-4, 1e-4, 1.0, 0.01, 10.0, 6),
        (4e-4, 1e-4, 1.0, 0.01, 600.0, 60),
        (4e-4, 0.0, 1.0, 0.01, 600.0, 6),
        (0.0, 1e-4, 0.5, 0.01, 20.0, 40),  # no shorter than half a second
        (0.0, 1e-4, 0.5, 0.25, 20.0, 10),  # nor than eight rounds
        (0.0, 1e-4, 4.0, 0.01, 20.0, 10),  # and their starts take twice the visits at most
        (0.0, 1e-4, 0.0, 0.01, 20.0, 40),
    ],
)
def test_generations_follow_kalibera_and_jones(
    within_s, between, start_s, round_s, visits_s, generations
):
    assert (
        Components(within_s, between, 1.0, 8, start_s, round_s).generations_of(visits_s)
        == generations
    )


def test_a_floor_is_the_interval_of_generations_with_that_spread():
    parts = Components(4e-4, 1e-4, 1.0, 8, 1.0, 0.01)
    found = floor(parts, 60.0, theta=0.02)
    draw = np.random.default_rng(0).normal(0, parts.sd(2.0), (2000, found.generations))
    widths = [mean_interval(row)[1] for row in draw]
    assert found.half_width == pytest.approx(math.expm1(np.mean(widths)), rel=0.03)
    seen = np.mean(
        [np.mean(row) + math.log1p(found.from_one) > mean_interval(row)[1] for row in draw]
    )
    assert 0.77 < seen < 0.83
    assert 0 < found.half_width < found.from_one < found.slower - 0.02 + 0.001


SHAPES = {
    "one kernel": (lambda draw: draw.normal(1.0, 0.03, 2000), False),
    "uniform": (lambda draw: draw.uniform(1.0, 1.5, 2000), False),
    "a long tail": (lambda draw: 1 + 0.1 * draw.exponential(1.0, 2000), False),
    "bursts": (lambda draw: np.r_[draw.normal(1.0, 0.03, 1980), draw.uniform(5, 40, 20)], False),
    "a busy sibling": (
        lambda draw: np.r_[draw.normal(1.0, 0.03, 1500), draw.normal(1.5, 0.05, 500)],
        True,
    ),
    "hardly ever alone": (
        lambda draw: np.r_[draw.normal(1.0, 0.03, 200), draw.normal(1.5, 0.05, 1800)],
        True,
    ),
    "two clocks, 5 % apart": (
        lambda draw: np.r_[draw.normal(1.0, 0.001, 999), draw.normal(1.05, 0.001, 999)],
        False,
    ),
    "always the same": (lambda draw: np.ones(10), False),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_two_humps_are_told_from_one(shape):
    draw, two = SHAPES[shape]
    assert humps(draw(np.random.default_rng(0))).two is two


QUIET = Noise(
    floors=(),
    parts=Components(1e-4, 1e-8, 1e-7, 8, 2.0, 0.01),
    generation_s=2.0,
    rounds=900,
    flagged={"steal": 0.0, "pressure": 0.005, "throttling": 0.0},
    kernel=humps([1.0, 1.01]),
    drift=(0.3, 0.2),
    frequencies_mhz=None,
    spoilt=False,
)
LIMITED = {
    "steal": ({"flagged": {"steal": 0.2}}, "20% of the rounds met CPU time stolen"),
    "pressure": ({"flagged": {"pressure": 0.3}}, "tasks that waited"),
    "sibling thread": (
        {"kernel": humps(SHAPES["a busy sibling"][0](np.random.default_rng(0)))},
        "1.50 times apart",
    ),
    "frequency": ({"drift": (-0.9, 1e-5)}, "rho -0.90"),
    "process placement": ({"parts": Components(1e-4, 1e-3, 1e-2, 8, 2.0, 0.01)}, "sd 3.16%"),
    "contention": ({"spoilt": True}, "all were kept"),
}


def test_a_quiet_machine_is_limited_by_nothing_in_particular():
    assert QUIET.limits == {}


@pytest.mark.parametrize("name", LIMITED)
def test_each_limit_is_named_alone(name):
    change, expected = LIMITED[name]
    limits = replace(QUIET, **change).limits
    assert list(limits) == [name]
    assert expected in limits[name]


def test_the_clocks_that_moved_are_told():
    assert (
        "2000 to 3000 MHz" in replace(QUIET, frequencies_mhz=(2000.0, 3000.0)).limits["frequency"]
    )


class Watched(Silent):
    """Remembers the stage and how far it came."""

    def __init__(self):
        self.stages, self.done = [], 0.0

    def stage(self, text, total):
        self.stages.append((text, total))

    def advance(self, done, text=""):
        self.done += done


@pytest.mark.slow
def test_this_machine_is_measured_and_its_progress_shown():
    report = Watched()
    found = measure_noise(report, replace(SETTINGS, max_time_s=SECONDS, generations=2))
    assert [row.visits_s for row in found.floors] == list(BUDGETS_S)
    assert all(0 < row.half_width < row.from_one < row.slower for row in found.floors)
    assert found.floors[0].half_width > found.floors[-1].half_width
    assert found.rounds >= 32
    assert found.parts.generations == 2
    assert found.parts.start_s > 0
    assert report.stages == [("measuring this machine's noise", SECONDS)]
    assert report.done > 1
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["limits"] == found.limits


@pytest.mark.slow
def test_too_little_time_is_refused():
    with pytest.raises(NothingMeasured, match="wanted two generations or more"):
        measure_noise(Silent(), replace(SETTINGS, max_time_s=0.01, generations=2))
