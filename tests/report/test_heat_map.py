"""The heat map: times over the fastest arm's, and where each figure leads."""

import re

import pytest
from dnnbench.report import html
from dnnbench.report.evidence import gather
from helpers import reporting
from helpers.reporting import section_of

pytestmark = pytest.mark.slow

TRUE = {arm: speed / min(reporting.SPEED.values()) for arm, speed in reporting.SPEED.items()}


def figures(section, title, workload):
    """The cells of a workload's row by arm."""
    (table,) = (one for one in section.tables if one.title == title)
    arms = [column.heading for column in table.columns[1:]]
    (row,) = (row for row in table.rows if row[0].text == f"{workload}/64")
    return dict(zip(arms, row[1:], strict=True))


@pytest.mark.parametrize("purpose", ["Training", "Inference"])
@pytest.mark.parametrize("arm", TRUE)
def test_a_figure_is_the_ratio_to_the_fastest(known, purpose, arm):
    cell = figures(section_of(known, "heat"), purpose, "mlp_digits")[arm]
    assert cell.value == pytest.approx(TRUE[arm], rel=0.01)


def test_the_fastest_has_no_shade(known):
    cell = figures(section_of(known, "heat"), "Training", "mlp_digits")["jax:jit"]
    assert (cell.text, cell.shade) == ("1x", 0.0)


def test_the_sentence_says_who_is_first_and_who_is_furthest_behind(known):
    training, inference = section_of(known, "heat").sentences
    assert training.startswith("Training: jax:jit first in 2 of 2; the widest gap is 6.0x, numpy")
    assert inference.startswith("Inference: jax:jit first in 2 of 2")


def test_a_figure_that_is_not_certain_says_so(empty):
    reporting.add_run(empty, "r", generations=1)
    cell = figures(section_of(gather(empty, "r"), "heat"), "Training", "mlp_digits")["numpy:eager"]
    assert cell.text == "6.0x ?"
    assert cell.remark == "one generation gives no interval"


def test_every_figure_leads_to_the_row_of_its_cell(known):
    page = html.page_of([known], static=True)
    (section,) = re.findall(r'<section id="1-heat">.*?</section>', page, re.S)
    targets = re.findall(r'<td[^>]*><a href="#([^"]+)"', section)
    assert len(targets) == 2 * 2 * 4
    for target in targets:
        (row,) = re.findall(rf'<tr id="{target}"[^>]*>', page)
        assert "data-arm=" in row
