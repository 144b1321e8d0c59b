"""The study records: tiny trials of its own, kept and read again,
under noise and after interrupts.
"""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import UsageError, WorkerError
from helpers.simulating import synthetic
from study import __main__ as command
from study import alignment, blocks, forced, hog, noise, placement, recordings, sitting, step
from study.kinds import KINDS, Kind
from study.measure import record
from study.starts import DRAWN
from study.step import STEPS, placed

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
OFTEN = ("numpy", "numpy_on_lines")
"""Steps that `make test` records."""
TINY = Kind(
    "tiny",
    {"base": 10, "twin": 10, "+10 %": 11},
    (("twin", "base"), ("+10 %", "base")),
    0.02,
    generations=2,
)


@pytest.fixture
def worker_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(BENCHMARKS), prepend=os.pathsep)


def test_a_worker_of_another_step_imports_nothing_of_a_network():
    told = (
        "import sys, study.step; print([m for m in sys.modules if m.startswith('dnnbench.spec')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", told], cwd=BENCHMARKS, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    [pytest.param(name, marks=() if name in OFTEN else pytest.mark.exhaustive) for name in STEPS],
)
def test_more_repeats_are_more_work(worker_path, step):
    few, many = (1, 10) if "network" in step else (10, 1000)
    arms = {"few": few, "many": many}
    trial = record(Kind("work", arms, (("many", "few"),), 0.05, generations=1, step=step), 7)
    ratio = np.median(trial.visits("many").call_s) / np.median(trial.visits("few").call_s)
    assert ratio > 3, f"{many} repeats took {ratio:.2f} times as long as {few}"


@pytest.mark.parametrize("offset", (0, 16, 64))
def test_an_array_is_placed_in_a_page(offset):
    found = placed(np.arange(6, dtype=np.float32).reshape(2, 3), offset)
    assert found.ctypes.data % 4096 == offset
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_step_on_lines_has_all_its_arrays_on_lines(monkeypatch):
    monkeypatch.setattr(step, "layer_of", lambda *arrays_and_repeats: arrays_and_repeats)
    *arrays, repeats = step.numpy_on_lines_step(7)
    assert repeats == 7
    assert [array.ctypes.data % 4096 for array in arrays] == [0, 0, 0]


@pytest.mark.exhaustive
def test_blocks_of_memory_are_counted_in_workers_like_the_studys(worker_path):
    counts = forced.asked("blocks:Blocks", "found", step="torch_fresh_in_a_run")
    assert len(counts) == blocks.BUILDS
    assert all(1 <= count <= 100 for count in counts)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("service", "cases"),
    [("blocks:Blocks", blocks.FORCED), ("alignment:Alignment", alignment.MOVED)],
)
def test_what_is_forced_by_hand_is_timed_against_the_first(worker_path, service, cases):
    found = forced.asked(service, "forced")
    assert len(found) == len(cases)
    assert found[0] == 1.0
    assert all(0.2 < ratio < 5 for ratio in found)


def filled_and_no_more(spent_s, share_s):
    """Rounds until the share is full: the last one fills it, however long it took."""
    assert spent_s.sum() >= 0.999 * share_s > 0.998 * spent_s[:-1].sum()


@pytest.mark.slow
def test_a_recording_comes_back_as_it_was_measured(tmp_path, worker_path):
    trial = record(TINY, 7)
    recordings.append(tmp_path / "one.npz", trial)
    (again,) = recordings.read(tmp_path)
    assert (again.kind, again.arms, again.pairs, again.calls) == (
        trial.kind,
        trial.arms,
        trial.pairs,
        trial.calls,
    )
    assert again.seconds == pytest.approx(trial.seconds, rel=6.2e-5)
    assert (again.generation == trial.generation).all()
    assert again.generations == [0, 1]
    assert (np.sort(again.position, axis=1) == np.arange(3)).all()
    assert (again.control_s > 0).all()
    for g in again.generations:
        filled_and_no_more(again.cell_s[again.generation == g], 0.01)
    assert len(again.facts["starts_s"]) == 2
    assert again.facts["starts"] == DRAWN
    assert again.sitting == "one"


@pytest.mark.exhaustive
def test_each_build_of_each_process_is_recorded_apart(worker_path):
    trial = record(dataclasses.replace(TINY, builds=2), 7)
    assert trial.generations == [0, 1, 2, 3]
    assert trial.facts["builds"] == 2
    assert len(trial.facts["starts_s"]) == len(trial.facts["rebuilds_s"]) == 2
    for g in trial.generations:
        filled_and_no_more(trial.cell_s[trial.generation == g], 0.005)
    assert placement.table_of([trial]).count("| numpy |") == 1


def test_an_interrupted_sitting_keeps_its_whole_trials_and_the_next_adds_to_them(
    tmp_path, monkeypatch
):
    measured = []

    def measure(kind, seed):
        measured.append(kind.name)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return synthetic(kind.name, len(measured))

    monkeypatch.setattr(sitting, "record", measure)
    kinds = [
        dataclasses.replace(KINDS[name], seconds=0.01, generations=1) for name in ("same", "quick")
    ]
    with pytest.raises(KeyboardInterrupt):
        sitting.sit(kinds, 1, tmp_path, print)
    assert [trial.kind for trial in recordings.read(tmp_path)] == ["same", "quick"]
    before = {path: path.read_bytes() for path in tmp_path.glob("*.npz")}
    (path,) = before
    path.rename(tmp_path / "earlier.npz")
    (tmp_path / "earlier.part").write_bytes(b"half a file")
    monkeypatch.setattr(sitting, "now", iter([0.0, 0.0, 1.0, 2.0, 2.0, 59.5]).__next__)
    assert sitting.sit(kinds, 1, tmp_path, print) == 1
    assert [trial.kind for trial in recordings.read(tmp_path)] == ["same", "quick", "same"]


def test_a_trial_that_loses_a_worker_is_told_and_not_kept(tmp_path, monkeypatch):
    def measure(kind, seed):
        raise WorkerError("gone")

    said = []
    monkeypatch.setattr(sitting, "record", measure)
    assert sitting.sit([KINDS["quick"]], 2, tmp_path, said.append) == 0
    assert said
    assert all("not kept: gone" in line for line in said)
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_is_refused():
    with pytest.raises(UsageError, match="no kind 'slow'; choose of same, quick"):
        command._kinds("same,slow")


def test_hogs_follow_the_trial():
    shares = {
        name: [(told.start, told.end) if (told := make(g / 4, 1 / 4)) else None for g in range(4)]
        for name, make in noise.NOISES.items()
    }
    assert shares["drift"] == [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]
    assert shares["late_hog"] == [None, None, (0.5, 0.5), (0.5, 0.5)]
    assert hog.share_at(5, 0.2, 0.6, 10) == pytest.approx(0.4)
    assert hog.share_at(50, 0.2, 0.6, 10) == 0.6


def test_a_hog_burns_its_share_and_is_gone_afterwards(worker_path):
    import psutil

    with noise.noisy(noise.Hog("cpu", 1.0, 1.0), [min(os.sched_getaffinity(0))], 1, 3):
        (child,) = [p for p in psutil.Process().children() if "study.hog" in p.cmdline()]
        while sum(child.cpu_times()[:2]) < 0.5:
            assert child.is_running()
    assert not child.is_running()
