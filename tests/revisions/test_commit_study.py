"""The count of false alarms of `gate --git`: its commits, and the tables that it writes."""

from dataclasses import replace
from pathlib import Path

import pytest
from commit_study import page, recordings
from commit_study.project import BRANCHES, EQUAL, StudyProject
from commit_study.recordings import Cell, GateRecord

GATE_PAGE = Path(__file__).parents[2] / "docs" / "gate.md"
SHARE = 2.5


@pytest.fixture
def study(tmp_path, monkeypatch):
    # The study fixes the dates of its commits; another test's are free again afterwards.
    monkeypatch.setenv("GIT_AUTHOR_DATE", "")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "")
    return StudyProject(tmp_path / "project", (SHARE,))


def files(study, commit):
    return study.project.git("show", f"{commit}:mine.py")


def code_of(lines):
    return [line for line in lines if not line.startswith("# ")]


def test_equal_commits_differ_by_comments_alone(study):
    pairs = [study.pair(0.0, number) for number in range(EQUAL + 1)]
    assert len(set(pairs)) == EQUAL
    assert pairs[0] == pairs[-1]
    for pair in set(pairs):
        before, after = (files(study, commit).splitlines() for commit in pair.split(".."))
        assert before != after
        assert code_of(before) == code_of(after)


def test_a_slower_commit_prolongs_every_call_by_its_share(study):
    pairs = {study.pair(SHARE, number) for number in range(2 * BRANCHES)}
    assert len(pairs) == BRANCHES
    module = {"__name__": "mine"}
    exec(files(study, min(pairs).split("..")[1]), module)
    clock = iter(range(100))
    module["perf_counter"] = lambda: next(clock)

    class Program:
        infer = module["prolonged"](lambda self, batch: batch)

    assert Program().infer("batch") == "batch"
    # It took from 0 to 1, and is at its end when the clock shows 3.5 or more.
    assert next(clock) == 5
    assert module["Slower"].train_step is not module["NumpyProgram"].train_step


def test_a_project_that_is_there_is_used_again(study, tmp_path):
    again = StudyProject(tmp_path / "project", (SHARE,))
    assert again.project.git("rev-parse", "line-3") == study.project.git("rev-parse", "line-3")
    assert again.project.git("status", "--porcelain") == ""


def record(share, outcome, confirmed):
    cells = [Cell("mlp_digits", "infer", 1 + share, confirmed, 0.04, outcome)]
    facts = {"date": "2026-11-30", "processor": "family 1", "max_time": "10s", "load": 0.1}
    return GateRecord(
        share, "line-0..line-1", **facts, seconds=30.0, exit_code=0, outcome=outcome, cells=cells
    )


def test_a_gate_is_read_as_it_was_written(tmp_path):
    one = record(0.1, "SLOWER", 1.11)
    recordings.append(tmp_path / "kept.jsonl", one)
    assert recordings.read(tmp_path / "kept.jsonl") == [one]


def test_the_tables_count_gates_and_cells():
    text = page.text_of(
        [record(0, "PASS", None), record(0.1, "SLOWER", 1.11), record(0.1, "INCONCLUSIVE", None)]
    )
    assert "| equal | 1 | 0 of 1 (at most 95.0%) | 1 | none |" in text
    assert "| slower by 10 % | 2 | 1 of 2 (50%, at least 3%) | 0 | 1 INCONCLUSIVE |" in text
    assert "| mlp_digits infer | slower by 10 % | 1 of 2 |" in text


def test_each_processor_has_a_table_of_its_cells_and_all_share_one_of_gates():
    elsewhere = replace(record(0, "PASS", None), processor="family 2")
    text = page.text_of([record(0, "PASS", None), elsewhere, elsewhere])
    assert "| equal | 3 | 0 of 3 (at most 63.2%) | 3 | none |" in text
    first, second = text.split("processor family 2")
    assert "| mlp_digits infer | equal | 0 of 1 |" in first
    assert "| mlp_digits infer | equal | 0 of 2 |" in second


def test_the_page_has_what_is_recorded():
    assert page.text_of(recordings.read(recordings.FILE)) in GATE_PAGE.read_text(), (
        'run make commit-study COMMITS="--minutes 0"'
    )
