"""Machines side by side from Python: the frames of `report --by`."""

import dnnbench
import pytest
from dnnbench.errors import UsageError
from dnnbench.store.store import open_store
from helpers import reporting


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two machines, of which the second takes half as long."""
    folder = tmp_path_factory.mktemp("sides")
    for name, speed in (("a", 1.0), ("b", 0.5)):
        with open_store(folder / f"{name}.sqlite") as store:
            reporting.add_run(
                store, name, machine=name, machine_speed=speed, generations=3, rounds=6
            )
    return [str(folder / f"{name}.sqlite") for name in ("a", "b")]


@pytest.fixture(scope="module")
def sides(stores):
    return dnnbench.side_by_side(stores, by="machine", prices={"machine b": 2.0, "a": 1.0})


def test_a_row_of_overall_is_a_side_and_a_purpose(sides):
    assert sides.names == ["machine a", "machine b"]
    frame = sides.overall
    assert list(zip(frame.side, frame.phase, strict=True)) == [
        ("machine b", "train_step"),
        ("machine b", "infer"),
    ]
    assert frame.times_as_fast.tolist() == pytest.approx([2.0, 2.0], rel=0.1)
    assert (frame.low < frame.times_as_fast).all()
    assert (frame.times_as_fast < frame.high).all()


def test_a_row_of_cells_is_a_cell_on_a_side(sides):
    frame = sides.cells
    assert len(frame) == 2 * 2 * len(reporting.SECONDS) * len(reporting.SPEED)
    second = reporting.cell(frame[frame.side == "machine b"], "torch:eager")
    assert second.call_s == pytest.approx(0.5e-3, rel=0.1)
    assert second.times_as_fast == pytest.approx(2.0, rel=0.1)
    assert second.doubt == ""


def test_the_first_side_is_no_times_as_fast_as_itself(sides):
    first = sides.cells[sides.cells.side == "machine a"]
    assert first.times_as_fast.isna().all()


def test_what_else_differs_has_a_column_for_each_side(stores, sides):
    assert list(sides.differences.columns) == ["fact", "machine a", "machine b"]


@pytest.mark.slow
def test_it_is_shown_as_the_report_shows_it(sides, tmp_path):
    assert "machine b is" in sides.to_markdown()
    assert "same money" in sides.to_markdown()
    assert "Machines side by side" in sides.report(tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "weather"}, "expected one of machine"),
        ({"prices": {"a": -1.0}}, "expected an amount above 0"),
        ({"prices": {"nobody": 1.0}}, "nobody"),
    ],
)
def test_what_cannot_be_meant_is_refused(stores, options, message):
    with pytest.raises(UsageError, match=message):
        dnnbench.side_by_side(stores, **options)
