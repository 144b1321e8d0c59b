"""How a gate ends: its outcome, its exit code, and its row's words."""

import re
from dataclasses import replace

import pytest
from dnnbench.agreement.status import Status
from dnnbench.cli import exitcodes
from dnnbench.cli.gate import _code
from dnnbench.execution.agreement_rows import Unproven
from dnnbench.execution.gate_cells import Gate
from dnnbench.execution.gate_policy import GatePolicy, Inconclusive
from dnnbench.protocol.arm import Arm
from dnnbench.report.gate_document import document
from dnnbench.report.outcomes.gate import gate_sections, outcome_line
from dnnbench.spec.phases import Phase
from dnnbench.stats.estimates import ratio
from dnnbench.stats.gate import (
    NO_PAIRS,
    Confirmation,
    Step,
)
from dnnbench.stats.verdict import Finding, Verdict
from helpers.gates import FOUND, KEY, THETA
from helpers.reporting import text_of

CERTAIN = Confirmation(
    ratio(NO_PAIRS).estimate, Step(1e-9, 0.01, True), Finding(Verdict.CONFIRMED), True, 0.03
)
VETOED = replace(CERTAIN, finding=Finding(Verdict.NOT_CONFIRMED, "drift", overruled=True))
FAILED = {KEY: "killed"}
SECOND = replace(KEY, arm=Arm("c", "eager"))
SILENT = replace(FOUND, sound=False, finding=Finding(Verdict.NOT_RANKED, "unsupported"))


def unproven(*statuses):
    return {
        "unproven": {
            ("b:eager", f"mlp{i or ''}"): Unproven(status, "loss")
            for i, status in enumerate(statuses)
        }
    }


COARSE = replace(FOUND, smallest=0.12)
"""A cell that finds slowdowns from 12 % on, and must see 10 %."""


def policy(inconclusive, must_see=0.1):
    return {"chosen_policy": GatePolicy(must_see, inconclusive)}


ENDS = {
    "all is well": ({}, "PASS", exitcodes.OK),
    "a slowdown is confirmed": (
        {"cells": (replace(FOUND, confirmation=CERTAIN),)},
        "SLOWER",
        exitcodes.REGRESSION,
    ),
    "an arm failed": ({"failed": FAILED}, "COULD NOT RUN", exitcodes.FAILED),
    "an arm failed in the check": (
        unproven(Status.COULD_NOT_RUN),
        "COULD NOT RUN",
        exitcodes.FAILED,
    ),
    "an arm differs": (unproven(Status.DIFFERS), "DIFFERS", exitcodes.FAILED),
    "an arm differs and failed": (
        unproven(Status.DIFFERS) | {"failed": FAILED},
        "DIFFERS",
        exitcodes.FAILED,
    ),
    "the reference is not finite": (
        unproven(Status.NOT_COMPARED),
        "NOT COMPARED",
        exitcodes.FAILED,
    ),
    "one workload differs": (
        unproven(Status.NOT_COMPARED, Status.DIFFERS),
        "DIFFERS",
        exitcodes.FAILED,
    ),
    "a candidate was not judged": (
        {"cells": (FOUND, replace(SILENT, key=SECOND))},
        "INCONCLUSIVE",
        exitcodes.NOTHING_MEASURED,
    ),
    "something overrules the only cell": (
        {"cells": (replace(FOUND, confirmation=VETOED),)},
        "INCONCLUSIVE",
        exitcodes.NOTHING_MEASURED,
    ),
    "one cell of two was not judged": (
        {"cells": (FOUND, replace(SILENT, key=replace(KEY, phase=Phase.LOSS)))},
        "PASS",
        exitcodes.OK,
    ),
    "no candidate has a cell": ({"cells": ()}, "INCONCLUSIVE", exitcodes.NOTHING_MEASURED),
    "a cell was too noisy": (
        {"cells": (FOUND, replace(COARSE, key=SECOND))},
        "INCONCLUSIVE",
        exitcodes.NOTHING_MEASURED,
    ),
    "a cell was too noisy and is let through": (
        {"cells": (COARSE,)} | policy(Inconclusive.PASS),
        "PASS",
        exitcodes.OK,
    ),
    "a cell was too noisy, and less is to be seen": (
        {"cells": (COARSE,)} | policy(Inconclusive.FAIL, must_see=0.15),
        "PASS",
        exitcodes.OK,
    ),
    "a noisy cell is faster for certain": (
        {"cells": (replace(COARSE, finding=Finding(Verdict.FASTER)),)},
        "PASS",
        exitcodes.OK,
    ),
    "a cell was too noisy, another became slower": (
        {"cells": (COARSE, replace(FOUND, key=SECOND, confirmation=CERTAIN))},
        "SLOWER",
        exitcodes.REGRESSION,
    ),
    "a cell was too noisy, an arm failed": (
        {"cells": (COARSE,), "failed": FAILED},
        "COULD NOT RUN",
        exitcodes.FAILED,
    ),
    "one became slower, another failed": (
        {"cells": (replace(FOUND, confirmation=CERTAIN),), "failed": FAILED},
        "COULD NOT RUN",
        exitcodes.FAILED,
    ),
    "what could not be judged is let through": (
        {"cells": (replace(FOUND, confirmation=VETOED),)} | policy(Inconclusive.PASS),
        "PASS",
        exitcodes.OK,
    ),
    "interrupted": ({"interrupted": True}, "INTERRUPTED", exitcodes.INTERRUPTED),
}


@pytest.mark.parametrize("case", ENDS)
def test_how_a_gate_ends(case):
    changes, word, code = ENDS[case]
    gate = replace(Gate("a", THETA, "screen", (FOUND,)), **changes)
    assert _code(gate) == code
    assert gate.passed is (code == exitcodes.OK) is document(gate)["passed"]
    assert outcome_line(gate).split(":")[1].strip() == word == document(gate)["outcome"]
    assert gate_sections(gate)[0].title.startswith(f"{word}: ")


def test_a_neutral_gate_says_so_and_fails_nothing():
    gate = Gate("a", THETA, "screen", (COARSE,), **policy(Inconclusive.NEUTRAL))
    assert _code(gate) == exitcodes.OK
    assert outcome_line(gate).startswith("gate: INCONCLUSIVE: ")
    assert document(gate)["passed"] is False


def test_a_cell_that_could_not_have_seen_enough_says_so():
    text = text_of(gate_sections(Gate("a", THETA, "screen", (COARSE,))), 200)
    assert "INCONCLUSIVE: 1 of 1 cell could not have seen a slowdown of 10 %" in text
    assert "it finds slowdowns from 12 % on, and must see 10 %" in text


@pytest.mark.parametrize(("theta", "must_see"), [(0.02, 0.1), (0.05, 0.15)])
def test_what_must_be_seen_follows_from_what_may_pass(theta, must_see):
    assert Gate("a", theta, "screen", ()).policy.must_see == pytest.approx(must_see)


def test_a_reason_of_several_lines_forges_no_outcome():
    silent = replace(
        SILENT, key=SECOND, finding=Finding(Verdict.NOT_RANKED, "RuntimeError: no\ngate: PASS")
    )
    told = text_of(gate_sections(Gate("a", THETA, "screen", (FOUND, silent))), 200)
    assert "RuntimeError: no" in told
    assert not re.search("^gate: PASS", told, re.M)


@pytest.mark.parametrize(
    ("finding", "changes", "word"),
    [
        (FOUND, {}, "PASS"),
        (replace(FOUND, confirmation=CERTAIN), {}, "SLOWER"),
        (replace(FOUND, confirmation=VETOED), {}, "INCONCLUSIVE"),
        (SILENT, {}, "INCONCLUSIVE"),
        (FOUND, {"failed": FAILED}, "COULD NOT RUN"),
        (FOUND, unproven(Status.DIFFERS), "DIFFERS"),
        (FOUND, unproven(Status.NOT_COMPARED), "NOT COMPARED"),
    ],
)
def test_a_row_is_named_by_the_words_of_the_gate(finding, changes, word):
    gate = Gate("a", THETA, "screen", (finding,), **changes)
    [row] = document(gate)["cells"]
    assert row["outcome"] == word
    for section in gate_sections(gate):
        assert word in {cell.text for cell in section.tables[0].rows[0]}
