"""`numpy:best`: which mode stands for it, how that is found and kept, and what a store says."""

from dataclasses import replace

import pytest
from dnnbench.errors import PluginError, UsageError, WorkerError
from dnnbench.execution import best
from dnnbench.execution.arms import select
from dnnbench.execution.backend_info import info_of
from dnnbench.execution.best_choice import Choice, chosen_among, refuse_best
from dnnbench.execution.gate import with_base
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, CellKey
from dnnbench.spec.phases import Phase

CELLS = [CellKey(Arm("b", "best"), CaseKey("w", 1), phase) for phase in Phase]


def times(*seconds):
    return {cell: [s, 2 * s, 5 * s] for cell, s in zip(CELLS, seconds, strict=False)}


@pytest.mark.parametrize(
    ("call_s", "mode"),
    [
        ({"usual": times(2.0, 2.0), "other": times(1.0, 1.0)}, "other"),
        ({"usual": times(1.0, 1.0), "other": times(2.0, 2.0)}, "usual"),
        ({"usual": times(1.0, 1.0), "other": times(0.5, 1.8)}, "other"),
        ({"usual": times(1.0, 1.0), "other": times(0.98, 0.98)}, "usual"),
        ({"usual": times(1.0, 1.0), "other": times(0.5)}, "usual"),
        ({"usual": times(1.0), "other": times(0.6), "third": times(0.5)}, "third"),
    ],
)
def test_the_fastest_mode_that_can_do_all_is_chosen_where_it_gains_enough(call_s, mode):
    assert chosen_among("usual", call_s, {}).mode == mode


def test_a_mode_that_lacks_cells_has_its_reason():
    call_s = {"usual": times(1.0, 1.0), "other": times(0.5)}
    choice = chosen_among("usual", call_s, {"third": "was lost"})
    assert choice.left_out == {
        "third": "was lost",
        "other": "lacks 1 of the 2 cells that usual has",
    }


def test_without_the_default_mode_there_is_nothing_to_choose():
    with pytest.raises(PluginError, match="usual: it was lost; name a mode"):
        chosen_among("usual", {"other": times(1.0)}, {"usual": "it was lost"})


@pytest.fixture
def two_modes(monkeypatch, tmp_path):
    """NumPy with one of the reference's studies as a second mode, which is slower; an empty cache,
    and the workers that are started.
    """
    monkeypatch.setenv("DNNBENCH_CACHE", str(tmp_path))
    info = replace(info_of(Arm("numpy", "eager")), modes=("eager", "blocked"))
    monkeypatch.setattr(best, "info_of", lambda arm: info)
    honest, started = best.spawn, []

    def spawn(arm, *arguments, **options):
        started.append(arm.mode)
        return honest(arm, *arguments, **options)

    monkeypatch.setattr(best, "spawn", spawn)
    return started


def request(*backends):
    settings = Settings(phases=(Phase.INFER, Phase.TRAIN_STEP), threads=(1,))
    return Request((find_workload("mlp_digits"),), backends, settings)


@pytest.mark.slow
def test_a_plan_has_the_mode_that_was_found_and_the_store_that_it_was(two_modes):
    wanted = request("numpy:best")
    plan, _ = make_plan(wanted, Silent())
    assert two_modes == ["eager", "blocked"]
    assert [arm.name for arm in plan.arms] == ["numpy:eager"]
    choice = plan.best["numpy:best"]
    assert choice.shares["eager"] == 1.0
    assert choice.shares["blocked"] > 1.0
    stored = wanted.to_json(plan)
    assert stored["backends"] == ["numpy:eager"]
    assert stored["best"]["numpy:best"]["mode"] == "eager"
    assert any(note.startswith("numpy:best is numpy:eager here (") for note in stored["notes"])


@pytest.mark.slow
def test_what_was_found_is_kept_for_the_same_networks_alone(two_modes, monkeypatch):
    measured = []

    def count(arm, measuring, report):
        measured.append(arm.name)
        return Choice("eager", {"eager": 1.0, "blocked": 2.0})

    monkeypatch.setattr(best, "_measured", count)
    first, _ = make_plan(request("numpy:best,numpy"), Silent())
    assert [arm.name for arm in first.arms] == ["numpy:eager"]
    again, _ = make_plan(request("numpy:best"), Silent())
    assert again.best == first.best
    assert len(measured) == 1
    make_plan(replace(request("numpy:best"), batch_sizes=(2,)), Silent())
    assert len(measured) == 2


@pytest.mark.slow
def test_a_mode_that_is_not_ready_in_time_is_left_out(two_modes, monkeypatch):
    honest = best._Candidate.prepare

    def prepare(candidate, measuring):
        if candidate.arm.mode == "blocked":
            raise WorkerError("numpy:blocked: no answer in 3 s (first_call)")
        honest(candidate, measuring)

    monkeypatch.setattr(best._Candidate, "prepare", prepare)
    plan, _ = make_plan(request("numpy:best"), Silent())
    assert plan.best["numpy:best"].left_out == {
        "blocked": "numpy:blocked: no answer in 3 s (first_call)"
    }


def test_no_time_left_is_a_reason(two_modes, monkeypatch):
    monkeypatch.setattr(best, "BUDGET_S", 0.0)
    with pytest.raises(PluginError, match="eager: no time was left of 0 s; name a mode"):
        make_plan(request("numpy:best"), Silent())


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"mode": 1}', "\0"])
def test_a_damaged_choice_counts_as_none(tmp_path, damage):
    path = tmp_path / "c.json"
    path.write_text(damage)
    assert best._kept(path) is None


def test_a_choice_survives_the_disk(tmp_path):
    choice = Choice("a", {"a": 0.5, "b": 1.0}, {"c": "lost"})
    best._keep(choice, tmp_path / "best" / "c.json")
    assert best._kept(tmp_path / "best" / "c.json") == choice


def test_every_backend_has_a_best_mode():
    arms = select(["all:best"]).arms
    assert {arm.mode for arm in arms} == {"best"}


@pytest.mark.parametrize("text", ["numpy:best", "numpy,torch:best"])
def test_a_command_that_finds_no_mode_says_so(text):
    with pytest.raises(UsageError, match="name a mode here"):
        refuse_best(select([text]).arms)


def test_a_gate_names_its_modes():
    with pytest.raises(UsageError, match="the fastest mode is found for a run"):
        with_base(request("numpy,numpy:best"))
