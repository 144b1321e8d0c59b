"""docs/faults.md and what it is counted from: one is written from the other, and both from faults
that are there.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import faulty  # noqa: F401  puts the faults on the path

# isort: split
from dnnbench_faults.every import FAULTS, PROGRAM_FAULTS, STRANGERS
from dnnbench_faults.names import NAMES, named_of
from fault_page import page, plan, recorded
from fault_page.counting import Of, by_kind, faults, planted_of_kind
from fault_page.recorded import NOW, Recorded

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def test_the_page_is_written_from_what_is_recorded():
    assert PAGE.read_text() == page.text_of(recorded.read()), 'run make faults FAULTS="--minutes 0"'


def test_every_recorded_check_is_planned():
    known = {*plan.planted(), *plan.kit(), *plan.honest()}
    assert [row for row in recorded.read() if row.planned not in known] == []


def test_every_fault_has_a_kind_and_every_name_a_fault():
    assert sum(planted_of_kind().values()) == len(FAULTS) + len(PROGRAM_FAULTS) + len(STRANGERS)
    assert {mode for mode in NAMES if mode not in {f.mode for f in PROGRAM_FAULTS}} == set()


def test_enough_is_planned():
    assert len(FAULTS) + len(PROGRAM_FAULTS) >= 200
    assert len(plan.honest()) >= 300
    assert {check.rows for check in plan.honest()} == {0, 1, 3, 64}


def row_of(check, **changes):
    fault = plan.fault_of(check)
    named = named_of(fault)
    row = Recorded(
        check.what, check.backend, check.mode, check.case, check.dtype, check.rows, NOW,
        "2026-11-30", "numpy-2", True, 7.0, f"{named.what} {named.parts[0]}", named.words,
    )  # fmt: skip
    return replace(row, **changes)


LAYER_NORM = [c for c in plan.planted() if c.mode == "layer_norm_epsilon_outside_the_root"]


def counted(*rows):
    return faults(recorded.latest(rows))


def test_a_fault_is_caught_and_named_where_it_is_so_in_every_type():
    both = [row_of(check) for check in LAYER_NORM]
    (one,) = counted(*both)
    assert (one.caught, one.part_named, one.fault_named) == (True,) * 3
    (missed,) = counted(both[0], replace(both[1], differs=False))
    assert not missed.caught
    (elsewhere,) = counted(both[0], replace(both[1], named="node dense"))
    assert not elsewhere.part_named
    (unknown,) = counted(both[0], replace(both[1], fault="no known convention"))
    assert unknown.part_named
    assert not unknown.fault_named


def test_counts_stand_with_their_exact_limits():
    assert Of(300, 300).at_least == "300 of 300 (at least 99%)"
    assert Of(0, 300).at_most == "0 of 300 (at most 1.0%)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"differs": False}, "| `numpy:layer_norm_epsilon_outside_the_root` | layer_norm |"),
        ({"fault": "float32"}, "| node layer_norm: float32 |"),
        ({}, "Recorded so far: 1 checks, 2026-11-30"),
    ],
)
def test_the_page_says_what_was_missed_and_what_was_misnamed(changes, words):
    assert words in page.text_of([row_of(LAYER_NORM[0], **changes)])


def test_what_is_not_run_is_shown():
    text = page.text_of([])
    assert "Nothing is recorded yet." in text
    assert f"| planted | numpy | {sum(c.backend == 'numpy' for c in plan.planted())} |" in text


def test_an_earlier_code_stands_beside_this_one():
    now = [row_of(check) for check in LAYER_NORM]
    then = [replace(row, code="abc", differs=False, named="") for row in now]
    assert "| abc | norms and thinning | 1 | 0, 1 | 0, 1 | 0, 1 |" in page.text_of([*now, *then])


def test_rows_are_read_as_they_were_written(tmp_path):
    rows = [row_of(check, ratio=float("inf")) for check in LAYER_NORM]
    recorded.write(rows, tmp_path / "rows.csv")
    assert sorted(recorded.read(tmp_path / "rows.csv"), key=str) == sorted(rows, key=str)


def test_what_is_made_again_takes_the_place_of_what_was_made(tmp_path):
    first, second = (row_of(check) for check in LAYER_NORM)
    recorded.write([first, second], tmp_path / "rows.csv")
    recorded.add([replace(first, ratio=9.0)], tmp_path / "rows.csv")
    rows = recorded.latest(recorded.read(tmp_path / "rows.csv"))
    assert (rows[first.planned].ratio, rows[second.planned].ratio) == (9.0, 7.0)


def test_every_kind_is_on_the_page():
    text = page.text_of([])
    assert [kind for kind in by_kind([]) if f"| {kind} |" not in text] == []


UNMET = next(check for check in plan.kit() if check.backend == "numpy")


def test_what_the_kit_alone_shows_is_counted_apart():
    fault = plan.fault_of(UNMET)
    check = next(c for c in plan.planted() if (c.backend, c.mode) == (fault.backend, fault.mode))
    missed = row_of(LAYER_NORM[0], **vars(check) | {"differs": False})
    shown = row_of(LAYER_NORM[0], **vars(UNMET) | {"named": f"law {UNMET.case}"})
    (alone,) = counted(missed, shown)
    assert alone.only_by_the_kit
    (neither,) = counted(missed, replace(shown, differs=False))
    assert not neither.only_by_the_kit
    assert f"| law {UNMET.case} |" in page.text_of([missed, shown])
