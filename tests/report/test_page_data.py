"""What the scripts of the page read: pairs of arms, visits of cells, JSON that ends no script."""

import hashlib
import json
from importlib.util import find_spec

import numpy as np
import pytest
from dnnbench.report.evidence import gather
from dnnbench.report.judged import comparable_pairs, judged
from dnnbench.report.page import details, vega
from dnnbench.report.page.data import as_block
from dnnbench.report.page.pairs import pairs_of
from dnnbench.report.page.scripts import Script, text_of
from dnnbench.stats.estimates import NOTHING, Visits
from dnnbench.stats.flags import STEAL
from helpers import reporting


@pytest.fixture(scope="module")
def places(known):
    return {row.cell_id: place for place, row in enumerate(known.rows)}


def test_every_two_arms_of_a_case_and_phase_are_a_pair(known, places):
    pairs = pairs_of(known.measured, places)
    assert len(pairs) == 2 * 7 * (4 * 3) // 2
    subjects = [{known.rows[place].case for place in (pair.over, pair.under)} for pair in pairs]
    assert {len(cases) for cases in subjects} == {1}


def test_a_pair_the_other_way_round_is_the_inverse_of_one_estimate(empty):
    """So that the page may turn it: it divides no ratio by another."""
    reporting.add_run(empty, "r", rotating=True)
    run = gather(empty, "r").measured
    one, other = next(comparable_pairs(run))
    there, back = (judged(run, *cells, "") for cells in ((one, other), (other, one)))
    estimate, turned = there.ratio.estimate, back.ratio.estimate
    assert estimate.value == pytest.approx(1 / turned.value, rel=1e-12)
    assert estimate.low == pytest.approx(1 / turned.high, rel=1e-12)
    assert estimate.high == pytest.approx(1 / turned.low, rel=1e-12)


def visits(call_s, flags=0, generation=0):
    count = len(call_s)
    whole = np.arange(count)
    return Visits(
        generation + 0 * whole, whole, 0 * whole, np.array(call_s, float), flags + 0 * whole
    )


def test_quantiles_stand_for_as_many_visits_each():
    middles = details.quantiles(visits(np.arange(1, 3201) / 1e3))
    assert len(middles) == details.QUANTILES
    assert np.diff(middles) == pytest.approx(0.1, rel=0.02)


def test_a_round_is_a_point_where_there_are_few():
    points = details.round_points(visits([1.0, 3.0, 2.0]), NOTHING)
    assert [(p.round, p.call_s, p.contended) for p in points] == [
        (0, 1.0, False),
        (1, 3.0, False),
        (2, 2.0, False),
    ]


def test_of_many_rounds_neighbours_are_one_point_and_contended_ones_another():
    flags = np.where(np.arange(1000) % 10 == 0, STEAL, 0)
    points = details.round_points(visits(1.0 + (flags > 0), flags), NOTHING)
    assert details.POINTS - 2 <= len([p for p in points if not p.contended]) <= details.POINTS
    assert {(p.call_s, p.contended) for p in points} == {(1.0, False), (2.0, True)}


def test_data_end_no_script_and_turn_no_writing():
    nasty = "</script><!--\u202e\u2028"
    block = as_block({nasty: [nasty, float("nan"), 1.5]})
    assert not set("<\u202e\u2028") & set(block)
    ((key, values),) = json.loads(block).items()
    assert key.startswith("</script><!--")
    assert values[1:] == [None, 1.5]


@pytest.mark.parametrize("text", ["a</script>", "<!-- a", "a\r\n"])
def test_a_script_that_the_page_could_not_hold_is_refused(text):
    with pytest.raises(ValueError, match="would end it"):
        Script(text)


def test_what_draws_the_charts_is_what_was_put_here():
    assert hashlib.sha256(text_of("vega.js").encode()).hexdigest() == vega.SHA256


@pytest.mark.exhaustive
def test_what_draws_the_charts_is_what_vl_convert_bundles():
    from importlib.metadata import version

    if find_spec("vl_convert") is None or version("vl-convert-python") != vega.MADE_BY:
        pytest.skip(f"made by vl-convert-python {vega.MADE_BY}")
    assert vega.bundle() == text_of("vega.js")
