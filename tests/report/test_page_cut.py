"""A page of many cells: which of them stand in it whole, what becomes of the others, its size."""

import json
import re

import pytest
from dnnbench.agreement.status import Status
from dnnbench.report.evidence import gather
from dnnbench.report.html import page_of
from dnnbench.report.page import telling
from dnnbench.report.page.telling import Telling
from dnnbench.store.store import open_store
from helpers import reporting

PURPOSES = {phase: reporting.SECONDS[phase] for phase in ("infer", "train_step")}
ARMS = reporting.SPEED | {"torch:close": 1.02, "torch:compile": 0.7}
FEW, MANY = 34, 54
MOST_BYTES_A_CELL = 500
"""Of one more cell that is not among the telling ones. 4,800 of them, as 200 workloads by 12 arms
have, are 2.4 MB; what draws the charts is 0.9 MB, and 200 telling cells are 1.3 MB.
"""
MOST_BYTES = 5_000_000
"""Of a page of 200 workloads by 12 arms, in training and inference."""
CELLS = 200 * 12 * 2


def run_of(folder, workloads):
    """Six arms, training and inference, one check that differs."""
    names = (*reporting.WORKLOADS, *(f"net{place}" for place in range(workloads - 2)))
    with open_store(folder / f"{workloads}.sqlite") as store:
        reporting.add_run(
            store, "r", arms=ARMS, workloads=names, seconds=PURPOSES, generations=3, rounds=4
        )
        reporting.add_facts(store, "r")
        return gather(store, "r")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """More cells than a page lists."""
    run = run_of(tmp_path_factory.mktemp("few"), FEW)
    assert len(run.rows) > telling.MOST_LISTED
    return run


@pytest.fixture(scope="module")
def page(few):
    return page_of([few])


def section(page, name):
    (found,) = re.findall(rf'<section id="1-{name}">.*?</section>', page, re.S)
    return found


def test_of_few_cells_all_rows_stand_in_the_page(known):
    assert not Telling(known).is_cut
    assert "left out of this page" not in page_of([known], static=True)


@pytest.mark.slow
def test_each_kind_of_telling_cell_is_among_them(few):
    cells = Telling(few).cells
    assert len(cells) == telling.MOST_TOLD
    wrong = {row.cell_id for row in few.rows if row.arm == "tensorflow:graph"}
    assert few.agrees("tensorflow:graph", "cnn_digits") is Status.DIFFERS
    assert cells[0].cell_id in wrong
    assert {row.verdict for row in cells} >= {"FASTER", "SLOWER", "UNDECIDED"}


@pytest.mark.slow
def test_the_largest_differences_are_among_them(few):
    """Every cell of the arm that takes 3 times as long, before those nearer to the base."""
    left_out = {row.arm for row in Telling(few).rest}
    assert "numpy:eager" not in left_out
    assert {"torch:compile", "tensorflow:graph"} <= left_out


@pytest.mark.slow
def test_rows_of_cells_are_those_of_the_telling_ones(few, page):
    rows = re.findall(r'<tr id="1-row-([0-9a-f]{24})"', section(page, "cells"))
    assert sorted(rows) == sorted(row.cell_id for row in Telling(few).cells)


@pytest.mark.slow
def test_all_others_stand_in_a_summary(few, page):
    text = section(page, "cells")
    assert f"The other {len(Telling(few).rest)} cells, by phase and arm" in text
    assert "the 200 most telling stand here" in text


@pytest.mark.slow
def test_the_heat_map_is_whole(page):
    assert len(re.findall(r"<tr ", section(page, "heat"))) == 2 * FEW


def cells_in(page):
    (block,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    (run,) = json.loads(block)["runs"]
    names = run["cells"]["fields"]
    return [dict(zip(names, row, strict=False)) for row in run["cells"]["rows"]]


@pytest.mark.slow
def test_every_cell_opens_and_the_telling_ones_have_their_visits(few, page):
    cells = cells_in(page)
    assert [cell["id"] for cell in cells] == [row.cell_id for row in few.rows]
    opened = {cell["id"] for cell in cells if cell.get("rounds")}
    assert opened == {row.cell_id for row in Telling(few).cells}


@pytest.mark.slow
def test_a_page_leaves_room_for_4800_cells_in_5_mb(few, page):
    more = CELLS - len(few.rows)
    assert len(page.encode()) + more * MOST_BYTES_A_CELL < MOST_BYTES


@pytest.mark.exhaustive
def test_a_cell_more_is_few_bytes_more(tmp_path, few, page):
    many = run_of(tmp_path, MANY)
    more = len(page_of([many]).encode()) - len(page.encode())
    assert more / (len(many.rows) - len(few.rows)) < MOST_BYTES_A_CELL
