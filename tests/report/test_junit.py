"""A gate's JUnit XML, read by a library that CI tools read it with."""

from dataclasses import replace

import pytest
from dnnbench.agreement.status import Status
from dnnbench.execution.agreement_rows import Unproven
from dnnbench.report.junit import junit_of
from dnnbench.store.store import open_store
from helpers import outcomes
from junitparser import Failure, JUnitXml, Skipped


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """Of two candidates, jax:jit slower for certain and torch:compile faster."""
    with open_store(tmp_path_factory.mktemp("junit") / "runs.sqlite") as store:
        return outcomes.gate(store)


def suites(gate):
    return {suite.name: suite for suite in JUnitXml.fromstring(junit_of(gate).encode())}


def test_a_candidate_is_a_suite_and_a_cell_a_case(gate):
    read = suites(gate)
    assert set(read) == {"jax:jit", "torch:compile"}
    assert [case.name for case in read["jax:jit"]] == [
        "mlp_digits/64 infer",
        "mlp_digits/64 train_step",
    ]


def test_what_is_slower_for_certain_is_a_failure_with_its_figures(gate):
    slower, faster = (suites(gate)[arm] for arm in ("jax:jit", "torch:compile"))
    assert (slower.tests, slower.failures) == (2, 2)
    assert (faster.tests, faster.failures) == (2, 0)
    for case in slower:
        (failure,) = case.result
        assert isinstance(failure, Failure)
        assert failure.type == "SLOWER"
        assert "takes 1.40 times as long as torch:eager [1.40, 1.40]" in failure.message
    assert all("FASTER: takes 0.600 times" in case.system_out for case in faster)


def test_what_could_not_be_judged_is_skipped_with_the_reason(gate):
    finding = replace(gate.cells[0].finding, reason="every round was disturbed", overruled=True)
    unjudged = replace(gate.cells[0], finding=finding, sound=False, confirmation=None)
    (suite,) = suites(replace(gate, cells=(unjudged,))).values()
    (case,) = suite
    (skipped,) = case.result
    assert isinstance(skipped, Skipped)
    assert skipped.message.startswith("INCONCLUSIVE: ")
    assert "every round was disturbed" in skipped.message
    assert (suite.skipped, suite.failures) == (1, 0)


def test_what_computes_something_else_fails_whatever_its_time(gate):
    unproven = {("torch:compile", "mlp_digits"): Unproven(Status.DIFFERS, "loss in float32: 7")}
    suite = suites(replace(gate, unproven=unproven))["torch:compile"]
    assert suite.failures == 2
    assert all("DIFFERS: differs from the reference: loss" in c.result[0].message for c in suite)


def test_names_that_xml_cannot_hold_are_read_all_the_same(gate):
    cell = gate.cells[0]
    hostile = replace(cell.key.arm, backend='<b>"\x00\x1b[2J&')
    strange = replace(cell, key=replace(cell.key, arm=hostile))
    (name,) = suites(replace(gate, cells=(strange,)))
    assert name.startswith('<b>"')
    assert "\x1b" not in name
