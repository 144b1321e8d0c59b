"""The answer: what a run says first, in golden texts, and in stores that contradict themselves."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dnnbench.protocol.keys import CaseKey
from dnnbench.report.answer_words import against_base, first_places
from dnnbench.report.builders import in_brief, sections_of
from dnnbench.report.evidence import gather
from dnnbench.report.quantity import factor
from dnnbench.report.standing import Standing, Standings
from dnnbench.spec.phases import Phase
from dnnbench.stats.estimates import Estimate, Pairs, ratio
from dnnbench.stats.first_place import behind, foreseen_difference
from dnnbench.stats.flags import PRESSURE, STEAL
from helpers import reporting
from helpers.reporting import printed, section_of

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden"
BUSY = [{"system": {"load_1min": 15.2, "affinity": [0, 1]}}, {}, {}]
CLOSE = reporting.SPEED | {"jax:jit": 1.02}
STORES = {
    "decided": {"generations": 6},
    "undecided": {"generations": 6, "arms": CLOSE},
    "busy": {"generations": 3, "flags": STEAL | PRESSURE, "facts": BUSY},
    "quick": {"generations": 1},
    "many": {"generations": 3, "workloads": (*reporting.WORKLOADS, "lstm", "vit", "resnet18")},
}


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("name", STORES)
def test_the_answer_reads_as_it_is_kept(empty, name, width):
    """To keep another text, delete the file and run this once."""
    reporting.add_run(empty, "r", **STORES[name])
    reporting.add_checks(empty, "r", list(reporting.SPEED))
    text = printed(gather(empty, "r"), width, only="answer")
    kept = GOLDEN / f"answer_{name}_{width}.txt"
    if not kept.exists():
        kept.write_text(text)
    assert text == kept.read_text()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("answer_*_80.txt")), ids=lambda path: path.stem)
def test_the_answer_takes_thirty_lines_of_eighty_columns_at_most(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80


def first_lines(store, count=3, **run):
    reporting.add_run(store, "r", **run)
    sections = in_brief(sections_of(gather(store, "r")))
    text = printed(gather(store, "r"), 80, only=sections[0].id)
    return "\n".join(line for line in text.splitlines() if line.strip()).splitlines()[:count]


TWIN = {"torch:eager": 1.0, "jax:jit": 0.5, "torch:eager#twin": 1.03}
FIRST_LINES = {
    "every round contended": (STORES["busy"], "The machine was too busy to judge mlp_digits/64"),
    "a twin off 1": (
        {"generations": 6, "arms": TWIN},
        "No verdict of this run holds: the base against itself came out as 1.03",
    ),
    "one arm": ({"arms": {"torch:eager": 1.0}}, "The answer"),
    "hostile names": ({"workloads": ("<b>\x1b[2J",)}, "The answer"),
    "no purpose was timed": ({"seconds": {"forward": 1e-3}}, "Ratio to torch:eager"),
}


@pytest.mark.parametrize("case", FIRST_LINES)
def test_the_first_line_of_any_store_is_what_matters_most(empty, case):
    run, line = FIRST_LINES[case]
    assert first_lines(empty, **run)[0].startswith(line)


def test_what_failed_and_what_was_left_out_is_told(empty):
    cells = reporting.add_run(empty, "r", skipped={"mxnet": "not installed"})
    failed = {"status": "failed", "reason": "failed: killed by signal 9"}
    empty.update_cells("r", [{"cell_id": cells[3], **failed}])
    doubts = section_of(gather(empty, "r"), "answer").doubts
    assert doubts == (
        "mxnet: not installed",
        "jax:jit on mlp_digits/64, inference: not ranked: failed: killed by signal 9",
    )


def test_a_row_has_one_estimator(known):
    """Its time is the base's times the ratio that it shows."""
    rows = {row[0].text: row for row in section_of(known, "answer").tables[0].rows}
    [base] = [r for r in known.rows if (r.arm, r.phase) == ("torch:eager", "infer")][:1]
    [arm] = [r for r in known.rows if (r.arm, r.phase) == ("numpy:eager", "infer")][:1]
    assert rows["numpy:eager"][3].text == f"{base.call_s * arm.ratio * 1e3:.2f} ms"


def test_rows_are_sorted_by_the_time_that_they_show(known):
    rows = section_of(known, "answer").tables[0].rows
    bars = [row[1].bar for row in rows]
    assert bars == sorted(bars)


# Who is first.

CASE = CaseKey("mlp_digits", 64)


def standing(store, phase=Phase.TRAIN_STEP, **run):
    reporting.add_run(store, "r", generations=6, **run)
    return Standings(gather(store, "r").measured).of(CASE, phase)


def test_an_arm_that_is_faster_than_all_is_first_alone(empty):
    assert standing(empty).first == ("jax:jit",)


def test_arms_as_fast_as_each_other_share_the_first_place(empty):
    arms = {"torch:eager": 1.0, "jax:jit": 0.5, "numpy:eager": 0.5}
    assert set(standing(empty, arms=arms).first) == {"jax:jit", "numpy:eager"}


def test_an_arm_that_is_slower_than_the_base_does_not_share_the_first_place_with_it(empty):
    """A leader whose generations lie apart is not held to be faster than either of them."""
    arms = {"torch:eager": 1.0, "numpy:eager": 1.5, "jax:jit": 0.9}
    assert set(standing(empty, arms=arms, wavering={"jax:jit": 0.5}).first) == {
        "jax:jit",
        "torch:eager",
    }


def test_a_base_that_leads_is_held_against_the_next(empty):
    one = standing(empty, arms={"torch:eager": 1.0, "jax:jit": 2.0, "numpy:eager": 3.0})
    assert one.ahead_of == "jax:jit"
    assert one.ahead.value == pytest.approx(2.0, rel=0.02)


def test_nobody_is_first_where_nobody_could_be_judged(empty):
    assert standing(empty, flags=STEAL).first == ()


def test_one_arm_has_no_standing(empty):
    assert standing(empty, arms={"torch:eager": 1.0}) is None


def pairs_of(effects):
    """Of one round a generation."""
    count = len(effects)
    numbers, later = np.arange(count), np.zeros(count, bool)
    return Pairs(numbers, numbers, np.array(effects), later, np.ones(count, bool))


def test_of_equal_arms_one_is_called_first_alone_in_no_more_than_one_run_of_twenty():
    """Four equal arms, a thousand runs of six generations; the fastest of each run leads."""
    draw = np.random.default_rng(1)
    alone = 0
    for _ in range(1000):
        logs = draw.normal(size=(4, 6))
        leader, *others = sorted(logs, key=lambda row: row.mean())
        slower = behind([ratio(pairs_of(other - leader)) for other in others])
        alone += all(slower)
    assert alone <= 0.05 * 1000


def test_an_arm_as_fast_as_the_leader_is_called_behind_in_no_more_than_one_run_of_twenty():
    """Two equal arms lead one that is far behind and uses up none of Holm's threshold."""
    draw = np.random.default_rng(2)
    wrong = 0
    for _ in range(1000):
        logs = draw.normal(size=(2, 6))
        leader, other = sorted(logs, key=lambda row: row.mean())
        far = leader + 50 + draw.normal(size=6)
        slower = behind([ratio(pairs_of(row - leader)) for row in (other, far)])
        wrong += slower[0]
    assert wrong <= 0.071 * 1000  # 5 %, and three standard errors of the count


def test_what_more_generations_would_tell_is_less_than_what_there_are_did():
    effects = [0.01, -0.02, 0.03, 0.0]
    now, then = (foreseen_difference(effects, count) for count in (4, 8))
    assert 0.02 < then < now


def test_one_generation_foresees_nothing():
    assert math.isnan(foreseen_difference([0.1], 8))


# Words.


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.13, "2.1"), (1.034, "1.03"), (0.48, "0.48"), (0.97, "0.97"), (31.4, "31"), (1.25, "1.2")],
)
def test_a_factor_has_the_digits_that_tell_it_from_1(value, text):
    assert factor(value) == text


def names(*arms):
    return {
        "first": arms,
        "unjudged": {},
        "ahead": Estimate(2.1, 2.0, 2.3, 6),
        "ahead_of": "torch:eager",
    }


SENTENCES = {
    "one first": (
        [names("jax:jit")],
        "Training: jax:jit is fastest on a, 2.1x [2.0, 2.3] as fast as torch:eager.",
    ),
    "the same on two": (
        [names("jax:jit"), names("jax:jit")],
        "Training: jax:jit is fastest on a, 2.1x [2.0, 2.3] as fast as torch:eager, "
        "and on b, 2.1x [2.0, 2.3].",
    ),
    "shared": (
        [names("jax:jit"), names("torch:eager", "jax:jit")],
        "Training: jax:jit is fastest on a, 2.1x [2.0, 2.3] as fast as torch:eager; "
        "torch:eager and jax:jit share the first place on b.",
    ),
    "one not judged": (
        [names("jax:jit") | {"unjudged": {"numpy:eager": "drift"}}],
        "Training: jax:jit is fastest on a, 2.1x [2.0, 2.3] as fast as torch:eager "
        "(no verdict against numpy:eager).",
    ),
    "a small lead": (
        [names("jax:jit") | {"ahead": Estimate(1.01, 1.005, 1.015, 6)}],
        "Training: jax:jit is fastest on a, 1.01x [1.00, 1.01] as fast as torch:eager, "
        "within the 2 % that count as the same.",
    ),
    "many": (
        [names("jax:jit")] * 3 + [names("torch:eager")],
        "Training: jax:jit is fastest on a, b, c; torch:eager is fastest on d.",
    ),
    "nobody first, other arms not judged": (
        [names() | {"unjudged": {"numpy:eager": "drift"}}, names()],
        "Training: no arm can be called first on a and b.",
    ),
    "none": ([], ""),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_who_is_first_is_said_in_a_sentence(case):
    standings, sentence = SENTENCES[case]
    cases = [CaseKey(name, 1) for name in "abcd"]
    made = [Standing(cases[i], Phase.TRAIN_STEP, **fields) for i, fields in enumerate(standings)]
    assert first_places("training", made, {c: c.workload for c in cases}, 0.02) == sentence


RATIOS = {
    "faster": ({"verdict": "FASTER", "ratio": 0.48}, "2.1x faster"),
    "slower": ({"verdict": "SLOWER", "ratio": 1.7}, "1.7x slower"),
    "same": ({"verdict": "SAME", "ratio": 1.001}, "same"),
    "undecided": (
        {"verdict": "UNDECIDED", "ratio": 0.9, "ratio_low": 0.7, "ratio_high": 1.15},
        "undecided: 1.4x to 0.87x",
    ),
    "not judged": (
        {"verdict": "UNDECIDED", "ratio": 0.5, "ratio_low": None},
        "not judged: 2.0x",
    ),
    "not ranked": ({"verdict": None, "ratio": None}, "not ranked"),
}


@pytest.mark.parametrize("case", RATIOS)
def test_a_ratio_is_said_in_words(known, case):
    fields, words = RATIOS[case]
    [row] = [r for r in known.rows if (r.arm, r.phase) == ("jax:jit", "infer")][:1]
    assert against_base(replace(row, **fields), "torch:eager") == words


def test_the_base_is_called_so(known):
    [row] = [r for r in known.rows if (r.arm, r.phase) == ("torch:eager", "infer")][:1]
    assert against_base(row, "torch:eager") == "base"


def test_a_case_that_no_round_visited_is_not_called_busy(empty):
    """The workers of one case may all have failed."""
    cells = reporting.add_run(empty, "r", generations=0)
    block = reporting.visits(np.arange(9), np.zeros(9), 1e-3, np.random.default_rng(0))
    empty.add_generation("r", 0, {}, {cells[0]: block})
    assert section_of(gather(empty, "r"), "answer").alarm == ""
