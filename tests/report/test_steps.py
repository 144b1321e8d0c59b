"""A step of training that costs less than nothing: a fact where it is certain,
and no negative figure or bar anywhere.
"""

import math
import re

import pytest
from dnnbench.cli.run_json import run_document
from dnnbench.report import html
from dnnbench.report.evidence import gather
from dnnbench.report.quantity import milliseconds
from dnnbench.report.steps import Steps, difference_text
from dnnbench.stats.estimates import Estimate
from dnnbench.stats.flags import STEAL
from helpers import reporting
from helpers.reporting import section_of

FUSED = reporting.SECONDS | {"train_step": 2.8e-3}
"""The whole step takes 0.2 ms less than its gradients alone."""
SENTENCE = "the whole step is faster than its gradients alone: fused"


def gathered(store, **change):
    shape = {
        "generations": 6,
        "workloads": ("mlp_digits",),
        "arms": {"torch:eager": 1.0},
        "seconds": FUSED,
    }
    reporting.add_run(store, "r", **shape | change)
    return gather(store, "r")


def row_of_steps(evidence):
    """Figures of the one arm in the terminal's table of the four steps."""
    text = reporting.printed(evidence, width=400, only="steps")
    rows = re.sub(r"\[.*?\]", "", text).splitlines()
    return next(row for row in rows if " torch:eager " in row).split()[2:7], text


def test_a_negative_update_of_clean_rounds_is_a_fact(empty):
    found = gathered(empty)
    (*_, update, whole), text = row_of_steps(found)
    assert (update, float(whole)) == ("fused", pytest.approx(2.8, rel=0.05))
    assert f"mlp_digits/64 torch:eager: {SENTENCE}" in text
    assert SENTENCE in html.page_of([found], static=True)
    (steps,) = run_document(empty, "r")["steps"]
    assert steps["fused"] == {"weight update": SENTENCE}
    assert steps["seconds"]["weight update"]["value"] < 0


def test_the_bars_of_a_step_are_never_negative_and_add_up_to_the_whole(empty):
    evidence = gathered(empty)
    (steps,) = evidence.steps
    [chart] = section_of(evidence, "steps").charts
    [bar] = chart.bars
    assert list(bar.parts_s) == [0, 1, 2]
    assert min(bar.parts_s.values()) > 0
    assert sum(bar.parts_s.values()) == pytest.approx(steps.whole.value, rel=0.02)
    assert bar.whole_s == steps.whole.value


def test_disturbed_rounds_show_no_fact(empty):
    found = gathered(empty, flags=STEAL)
    (*_, update, _), text = row_of_steps(found)
    assert update == "–"
    assert SENTENCE not in text
    assert SENTENCE not in html.page_of([found], static=True)


def test_one_generation_shows_no_fact(empty):
    (*_, update, _), text = row_of_steps(gathered(empty, generations=1))
    assert update == "–"
    assert SENTENCE not in text


def test_a_piece_that_is_fused_into_the_step_saves_all_that_it_takes_alone(empty):
    page = html.page_of([gathered(empty)], static=True)
    assert 'fused</td><td class="number">all of it' in page


@pytest.mark.parametrize(
    ("ends_s", "text"),
    [
        ((1e-3, 0.5e-3, 1.5e-3), "1.00"),
        ((-1e-3, -1.5e-3, -0.5e-3), "fused"),
        ((-1e-3, -3e-3, 2e-3), "≤ 2.00"),
        ((-1e-3, math.nan, math.nan), "–"),
    ],
)
def test_a_difference_below_zero_is_no_figure(ends_s, text):
    assert difference_text(Estimate(*ends_s, 6), milliseconds) == text


@pytest.mark.parametrize(
    ("parts_s", "stacked_s"),
    [
        ((4.0, 1.0, 2.0, 3.0), [4.0, 1.0, 2.0, 3.0]),
        ((4.0, -1.0, 2.0, 3.0), [3.0, 2.0, 3.0]),
        ((4.0, 1.0, 2.0, -3.0), [4.0, 0.0]),
        ((4.0, 1.0, -2.0, 3.0), [3.0, 3.0]),
    ],
)
def test_what_costs_less_than_nothing_is_part_of_the_steps_before(parts_s, stacked_s):
    names = ("forward pass", "loss calculation", "backpropagation", "weight update")
    seconds = {
        name: Estimate(part, part, part, 6) for name, part in zip(names, parts_s, strict=True)
    }
    whole = Estimate(sum(parts_s), 0.0, 0.0, 6)
    assert list(Steps("w", 1, "a", "a", seconds, whole, clean=True).stacked_s.values()) == stacked_s


def test_a_part_that_takes_more_than_the_whole_is_no_figure(empty):
    """Gradients cost twice the step: as in one generation under load."""
    found = gathered(empty, seconds=reporting.SECONDS | {"gradients": 8e-3})
    (_, _, backprop, update, whole), _ = row_of_steps(found)
    assert update == "fused"
    assert float(whole) == pytest.approx(4, rel=0.05)
    assert backprop == "–"


def test_no_difference_of_disturbed_rounds_is_a_figure(empty):
    (forward, loss, backprop, update, _), _ = row_of_steps(gathered(empty, flags=STEAL))
    assert (loss, backprop, update) == ("–", "–", "–")
    assert float(forward) > 1
