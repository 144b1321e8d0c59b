"""The study's page: its targets and tables, on trials whose truth is known."""

import dataclasses

import numpy as np
import pytest
from dnnbench.stats.flags import STEAL, SWITCHED
from helpers.simulating import synthetic
from study import charts, outcomes, page, tables, targets
from study.findings import LINES, SIXTY, Findings


@pytest.mark.slow
def test_targets_are_met_and_missed(monkeypatch):
    monkeypatch.setattr(targets, "LEAST", 4)
    good = [synthetic("long", seed, seconds=60, call_s=0.2, process=0.001) for seed in range(4)]
    bad = [dataclasses.replace(trial, flags=np.full(len(trial.flags), STEAL)) for trial in good]
    met, missed, few = (
        [one.met for one in targets.targets(Findings(trials))] for trials in (good, bad, good[1:])
    )
    assert met == [None, None, True, True, None, None, True, True], (
        "four trials are neither 300 comparisons nor 100 intervals"
    )
    assert [missed[place] for place in (2, 3, 6)] == [False] * 3
    assert few == [None] * 8


@pytest.mark.slow
@pytest.mark.parametrize("missing, met", ((1, None), (2, False)))
def test_a_target_that_the_trials_to_come_cannot_reach_is_missed(missing, met):
    """Of 20, 18 must be confirmed.

    A trial that shows nothing fails its own screen and confirms nothing for another.
    """
    found = [synthetic("long", seed, 0.001, seconds=60, call_s=0.2) for seed in range(3)]
    alike = [
        synthetic("long", 3 + seed, 0.001, seconds=60, call_s=0.2, scale={"+5 %": -0.05})
        for seed in range(missing)
    ]
    assert targets.targets(Findings(found + alike))[2].met is met


@pytest.mark.slow
def test_no_row_is_left_out_of_the_undecided(monkeypatch):
    monkeypatch.setattr(targets, "LEAST", 2)
    monkeypatch.setattr(targets, "LEAST_ELSEWHERE", 2)

    def undecided(trials):
        return targets.targets(Findings(trials))[6]

    quiet = [synthetic(seed=seed, process=0.001) for seed in range(2)]
    alike, unlike = (
        [synthetic("jax", seed, process=process) for seed in range(2)] for process in (0.001, 0.1)
    )
    assert undecided(quiet + alike).met is True
    assert undecided(quiet + alike[:1]).met is None
    found = undecided(quiet + unlike)
    assert found.met is False
    assert "2 of 2" in found.reached
    assert ": jax, " in found.reached


def test_long_recordings_stand_by_machine_and_other_kinds_in_rows_of_their_own():
    trials = [synthetic("long", seed, seconds=60, call_s=0.2) for seed in range(2)]
    trials += [synthetic(kind, 2, seconds=60, call_s=0.2) for kind in ("many", "on_lines")] + [
        synthetic(seed=3)
    ]
    trials[1].facts["machine"] = "another"
    found = Findings(trials)
    assert {where: len(part) for where, part in found.by_machine.items()} == {
        "long, 2 cores of a machine": 1,
        "long, another": 1,
        "many, 2 cores of a machine": 1,
        "on_lines, 2 cores of a machine": 1,
    }
    assert {row: len(found.verdicts[row]) for row in (10, 60, SIXTY, LINES)} == {
        10: 15,
        60: 10,
        SIXTY: 5,
        LINES: 5,
    }
    assert len(found.of("many")[0].generations) == 60
    assert len(found.whole) == 20


def test_a_line_of_the_power_plot_breaks_where_a_kind_has_no_trials():
    rows = list(charts._power_rows(Findings([synthetic("on_lines", seconds=60, call_s=0.2)])))
    assert [(row["visits"], row["share"] is None) for row in rows] == [
        (LINES, missing) for missing in (False, True, True, False, False)
    ]


def test_flags_are_counted_by_kind():
    flags = np.zeros(len(synthetic().flags), int)
    flags[::4], flags[1::2] = STEAL | SWITCHED, SWITCHED
    text = tables.flagged([synthetic(flags=flags), synthetic("drift")])
    assert "| quick |" in text
    assert "| 25.02% | 0.00% | 0.00% | 75.02% |" in text
    assert "| drift |" in text
    assert text.rstrip().endswith("| 0.00% | 0.00% | 0.00% | 0.00% |")


def test_tables_tell_every_verdict_and_the_limit_of_the_one_that_counts():
    one_alike = [
        synthetic(seed=seed, process=0.001, scale={"+5 %": -0.05 * (seed == 0)})
        for seed in range(3)
    ]
    text = tables.verdicts({10.0: outcomes.judged(one_alike)})
    assert "| 10 s | SAME 3 (alarms at most 63.2%) |" in text
    assert "| SLOWER 2, SAME 1 (SLOWER at least 14%) | SLOWER 3 (SLOWER at least 37%) |" in text
    gated = outcomes.gated([synthetic(seed=seed, process=0.001) for seed in range(2)])
    assert "2 of 2 (100%, at least 22%); flagged 2" in tables.gates({"quick": gated})


@pytest.mark.slow
@pytest.mark.parametrize("count", (0, 1, pytest.param(3, marks=pytest.mark.exhaustive)))
def test_the_page_stands_on_whatever_is_recorded(tmp_path, count):
    trials = [synthetic(kind, seed) for kind in ("same", "quick", "drift") for seed in range(count)]
    text = page.write(trials, tmp_path / "new", 0).read_text()
    assert text.startswith("# How often the verdicts are right")
    assert "{" not in text
    assert "nan" not in text
    if count == 3:
        assert "\n| 10 s | SAME 12 (alarms at most 22.1%) |" in text
        assert "## Targets" in text
        assert all(
            (tmp_path / "new" / f"proof_{name}.svg").read_text().startswith("<svg")
            for name in page.PLOTS
        )
