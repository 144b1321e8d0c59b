"""A gate on GitHub: the Markdown of a pull request, and annotations beside a change."""

from dataclasses import replace

import pytest
from dnnbench.report.annotations import annotations_of
from dnnbench.report.markdown import folded_markdown
from dnnbench.report.outcomes.gate import gate_sections
from dnnbench.store.store import open_store
from helpers import outcomes


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """Of two candidates, jax:jit slower for certain and torch:compile faster."""
    with open_store(tmp_path_factory.mktemp("pull") / "runs.sqlite") as store:
        return outcomes.gate(store)


def many(gate, count):
    """As many cells, the first slower for certain."""
    cell = next(cell for cell in gate.cells if cell.arm == "jax:jit")
    cases = [replace(cell.key.case, workload=f"net{number}") for number in range(count)]
    keys = [replace(cell.key, case=case) for case in cases]
    return replace(gate, cells=tuple(replace(cell, key=key) for key in keys))


def test_the_outcome_has_ten_rows_at_most_and_the_details_are_folded(gate):
    text = folded_markdown(gate_sections(many(gate, 30)))
    outcome, _, details = text.partition("<details>")
    rows = [line for line in outcome.splitlines() if line.startswith("| net")]
    assert outcome.startswith("## SLOWER: 30 of 30 cells")
    assert len(rows) == 10
    assert details.count("| net") == 30
    assert details.rstrip().endswith("</details>")


def test_what_a_comment_has_no_room_for_is_left_out_and_named(gate):
    text = folded_markdown(gate_sections(many(gate, 400)), most=4_000)
    assert len(text) < 4_000
    assert "Left out, as the page has it: Both stages of every cell" in text


def test_a_cell_that_is_slower_is_an_error_beside_its_file(gate):
    lines = annotations_of(gate, {"mlp_digits": "nets/mine.py"}).splitlines()
    assert len(lines) == 2, "the faster candidate has none"
    for line in lines:
        assert line.startswith("::error file=nets/mine.py,title=dnnbench%3A SLOWER::mlp_digits/64 ")
        assert "takes 1.40 times as long as torch:eager" in line


def test_a_cell_that_could_not_be_judged_is_a_warning(gate):
    finding = replace(gate.cells[0].finding, reason="every round was disturbed", overruled=True)
    unjudged = replace(gate.cells[0], finding=finding, sound=False, confirmation=None)
    (line,) = annotations_of(replace(gate, cells=(unjudged,)), {}).splitlines()
    assert line.startswith("::warning title=dnnbench%3A INCONCLUSIVE::")
    assert "every round was disturbed" in line


def test_a_gate_that_passes_has_no_annotation(gate):
    passed = [cell for cell in gate.cells if cell.arm == "torch:compile"]
    assert annotations_of(replace(gate, cells=tuple(passed)), {}) == ""


def test_of_many_ten_are_shown_and_the_others_counted(gate):
    lines = annotations_of(many(gate, 30), {}).splitlines()
    assert len(lines) == 10
    assert lines[-1] == "::warning title=dnnbench::and 21 more cells, as the summary has them"


def test_a_name_begins_no_command_of_its_own(gate):
    (case,) = {cell.key.case for cell in gate.cells}
    hostile = replace(case, workload="x\n::error::100%\r::set-env name=A::b")
    (cell,) = many(gate, 1).cells
    named = replace(cell, key=replace(cell.key, case=hostile))
    (line,) = annotations_of(replace(gate, cells=(named,)), {}).splitlines()
    assert "100%25" in line
    assert line.startswith("::error title=dnnbench%3A SLOWER::x\\n::error")
