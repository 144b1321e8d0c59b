"""assert_not_slower: its judgement on visits of known truth, and the fresh processes it measures
in.
"""

import json

import numpy as np
import pytest
from dnnbench.stats.flags import STEAL
from dnnbench.testing.in_process import SideVisit
from dnnbench.testing.not_slower import F, G, Outcome, judged
from helpers.pytest_sessions import outcome, run_pytest, session

ROUNDS = 20


def visits(ratios, noise=0.005, flags=lambda process, number: 0, seed=0):
    """Of f and than in a process for each ratio."""
    draw = np.random.default_rng(seed)
    rows = []
    for process, ratio in enumerate(ratios):
        one = []
        for number in range(ROUNDS):
            order = (F, G) if number % 2 else (G, F)
            for position, side in enumerate(order):
                truth = 1e-3 * (ratio if side == F else 1.0)
                seconds = 5 * truth * float(draw.lognormal(sigma=noise))
                one.append(SideVisit(side, number, position, 5, seconds, flags(process, number)))
        rows.append(one)
    return rows


def spread(center, sd, count=6):
    """Ratios of processes, as far apart as the sd says."""
    steps = np.linspace(-1, 1, count)
    return center * np.exp(steps * sd / np.std(steps, ddof=1))


@pytest.mark.parametrize(
    ("ratios", "by", "expected", "said"),
    [
        (spread(1.0, 0.01), 0.05, Outcome.NOT_SLOWER, "f takes 0.998 times as long"),
        (spread(1.03, 0.005), 0.05, Outcome.NOT_SLOWER, "f takes 1.028 times as long"),
        (spread(1.15, 0.02), 0.05, Outcome.SLOWER, "slower by more than 0.05 for certain (p = "),
        (spread(0.7, 0.2), 0.05, Outcome.NOT_SLOWER, "6 processes"),
        (spread(1.10, 0.2), 0.05, Outcome.UNDECIDED, "could have seen a slowdown from"),
        (spread(1.0, 3.0), 0.05, Outcome.UNDECIDED, "generations lie too far apart"),
    ],
)
def test_only_a_certain_slowdown_is_one(ratios, by, expected, said):
    judgement = judged(visits(ratios), by)
    assert judgement.outcome is expected, judgement.sentence
    assert said in judgement.sentence


def test_contention_in_every_round_leaves_nothing_to_judge():
    judgement = judged(visits(spread(1.3, 0.01), flags=lambda process, number: STEAL), 0.05)
    assert judgement.outcome is Outcome.UNDECIDED
    assert judgement.sentence == "every round met contention from outside"


def test_contended_rounds_are_dropped():
    """Two thirds of the rounds are flagged, and in those f takes twice as long."""
    measured = visits(spread(1.0, 0.005), flags=lambda _, number: STEAL * (number % 3 != 0))
    slowed = [
        [
            SideVisit(**vars(v) | {"seconds": v.seconds * (2 if v.flags and v.side == F else 1)})
            for v in one
        ]
        for one in measured
    ]
    judgement = judged(slowed, 0.05)
    assert judgement.outcome is Outcome.NOT_SLOWER, judgement.sentence


TESTS = """
import os
import sys
import uuid

import pytest
from dnnbench.stats import estimates

estimates.CONTENDED = 0  # the machine that tests run on is never quiet

def work(n):
    return lambda: sum(range(n))

def test_equal(assert_not_slower):
    assert_not_slower(work(4000), than=work(4000), by="10%", seconds=0.1)

def test_slower(assert_not_slower):
    assert_not_slower(work(32000), than=work(4000), by="5%", seconds=0.1)

def test_dies(assert_not_slower):
    if "DNNBENCH_FRESH_PROCESS" in os.environ:
        os._exit(3)
    assert_not_slower(work(10), than=work(10))

@pytest.mark.parametrize("one", [1], ids=[uuid.uuid4().hex])
def test_id_of_chance(assert_not_slower, one):
    assert_not_slower(work(10), than=work(10))

def test_traced(assert_not_slower):
    sys.settrace(lambda *_: None)
    try:
        assert_not_slower(work(10), than=work(10))
    finally:
        sys.settrace(None)

def test_few(assert_not_slower):
    assert_not_slower(work(10), than=work(10), generations=5)

def test_share(assert_not_slower):
    assert_not_slower(work(10), than=work(10), by="5 percent")

def test_no_function(assert_not_slower):
    assert_not_slower(work(10), than=3)
"""
REFUSED = {
    "test_dies": "a fresh process ended with exit code 3 before it measured",
    "test_traced": "a tracer is set, as coverage and debuggers do",
    "test_few": "generations: got 5, expected 6 or more",
    "test_share": "by: got '5 percent', expected a share such as 5% or 0.05",
    "test_no_function": "than: got 3, expected a function without arguments",
}


@pytest.fixture(scope="module")
def asserted(tmp_path_factory, cache):
    """Selected by a mark of this session that a fresh process knows nothing of."""
    chosen = ("-k", "test_ and not test_equal")
    return session(tmp_path_factory.mktemp("asserted"), TESTS, *chosen)[1]


@pytest.mark.slow
def test_eight_times_the_work_fails(asserted):
    word, message = outcome(asserted["test_slower"])
    assert word == "failure"
    assert "slower by more than 0.05 for certain" in message


@pytest.mark.exhaustive  # what is judged so is tried on visits of known truth, often
def test_equal_work_does_not_fail(tmp_path, cache):
    _, cases = session(tmp_path, TESTS, "-k", "test_equal")
    assert outcome(cases["test_equal"])[0] in ("passed", "skipped")


@pytest.mark.slow
@pytest.mark.parametrize("name, said", REFUSED.items())
def test_what_cannot_be_measured_is_refused_with_the_reason(asserted, name, said):
    word, message = outcome(asserted[name])
    assert word == "failure"
    assert said in message


@pytest.mark.slow
def test_an_id_that_no_fresh_process_has_is_told(asserted):
    (name,) = (name for name in asserted if name.startswith("test_id_of_chance"))
    assert "give parameters ids of their own" in outcome(asserted[name])[1]


def test_beside_other_processes_of_xdist_it_refuses(tmp_path):
    _, cases = session(tmp_path, TESTS, "-k", "test_equal", PYTEST_XDIST_WORKER_COUNT="4")
    assert "pytest-xdist runs 4 processes beside it" in outcome(cases["test_equal"])[1]


def test_a_fresh_process_measures_the_assertion_that_is_asked_for(tmp_path):
    text = """if True:
        def test_two(assert_not_slower):
            assert_not_slower(lambda: 1 / 0, than=lambda: 1 / 0)
            assert_not_slower(lambda: sum(range(4000)), than=lambda: sum(range(9)), seconds=0.02)
            assert False, "a fresh process ends with its measurement"
    """
    (tmp_path / "test_mine.py").write_text(text)
    answer = tmp_path / "answer.json"
    done = run_pytest(tmp_path, "-q", "test_mine.py", DNNBENCH_FRESH_PROCESS=f"0 1 {answer}")
    assert done.returncode == 0, done.stdout
    taken = json.loads(answer.read_text())["visits"]
    f_s, g_s = (min(v["seconds"] for v in taken if v["side"] == side) for side in (F, G))
    assert f_s > 5 * g_s
