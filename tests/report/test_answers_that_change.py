"""Answers that changed while a run was measured are doubts of it."""

import pytest
from dnnbench.execution.facts import GenerationFacts, ProgramFacts
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, ProgramKey
from dnnbench.report.answers import answer_faults
from dnnbench.worker.answers import changed_fault, process_fault

KEY = ProgramKey(Arm("torch", "eager"), CaseKey("mlp_digits", 64))


def generations(*answers):
    """One for each pair of answers of inference."""
    programs = [ProgramFacts({"answers": {"infer": list(pair)}}) for pair in answers]
    return [GenerationFacts(programs={KEY: program}) for program in programs]


@pytest.mark.parametrize(
    ("answers", "faults"),
    [
        ([(1.0, 1.0), (1.0, 1.0)], ()),
        ([(1.0, 1.0 + 1e-7), (1.0 - 1e-7, 1.0)], ()),
        (
            [(1.0, 1.0), (1.0, 1.1), (1.0, 1.2)],
            (changed_fault("infer"),),
        ),
        (
            [(1.0, 1.0), (1.1, 1.1)],
            (process_fault("infer"),),
        ),
    ],
)
def test_each_fault_is_told_once(answers, faults):
    found = answer_faults(generations(*answers))
    assert found == ({KEY: faults} if faults else {})


def test_what_an_older_dnnbench_did_not_read_is_no_fault():
    assert answer_faults([GenerationFacts(programs={KEY: ProgramFacts()})]) == {}
