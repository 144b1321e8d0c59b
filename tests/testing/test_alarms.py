"""The count of assert_not_slower's false alarms: its simulation, and the page that it writes."""

import numpy as np
import pytest
from alarms import page, recorded, simulated
from alarms.recorded import Recording
from dnnbench.testing.in_process import SideVisit
from dnnbench.testing.not_slower import F, G, Outcome, judged_pairs
from study.bounds import Count

PAGE = "# Title\n\n### Wrong\n\n<!-- alarms -->\n\nold table\n\n## After\n"


def outcomes(slowdown, spread, trials):
    draw = np.random.default_rng(1)
    effects = draw.normal(np.log1p(slowdown), spread, size=(trials, 6))
    return [judged_pairs(simulated.pairs_of(each), simulated.BY).outcome for each in effects]


@pytest.mark.parametrize("spread", simulated.SPREADS)
def test_equal_functions_raise_no_alarm(spread):
    assert outcomes(0.0, spread, 100).count(Outcome.SLOWER) <= 1


def test_a_slowdown_of_15_percent_fails_where_processes_differ_by_one():
    assert outcomes(0.15, 0.01, 50).count(Outcome.SLOWER) == 50


def recording(ratio, flags):
    visits = [
        SideVisit(side, number, place, 5, 5e-3 * (ratio if side == F else 1.0), flags)
        for number in range(4)
        for place, side in enumerate((F, G) if number % 2 else (G, F))
    ]
    return Recording("f", ratio - 1, "2026-11-30", "family 1", [visits] * 6)


def test_a_recording_is_judged_as_it_is_and_with_all_rounds():
    busy = recording(1.5, flags=1)
    assert busy.outcome(all_rounds=False) is Outcome.UNDECIDED
    assert busy.outcome(all_rounds=True) is Outcome.SLOWER


def test_a_recording_is_read_as_it_was_written(tmp_path):
    one = recording(1.25, flags=2)
    recorded.append(tmp_path / "kept.jsonl", [one])
    assert recorded.read(tmp_path / "kept.jsonl") == [one]


def test_the_page_keeps_what_stands_around_its_tables(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    counts = [simulated.Counts(0.01, 0.0, Count(0, 10), Count(5, 10))]
    page.write(path, [recording(1.0, 0)], counts, 10)
    text = path.read_text()
    assert text.startswith("# Title\n\n### Wrong\n\n<!-- alarms -->\n\nRecorded by `make alarms`")
    assert text.endswith("\n\n## After\n")
    assert "| the same work | dropped | 1 | 0 of 1 (at most 95.0%) | 0 |" in text
    assert "| 1.0% | 0% | 0 of 10 (at most 25.9%) | 50.0% |" in text
