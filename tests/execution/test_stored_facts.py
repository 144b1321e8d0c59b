"""What a generation tells is read back as it was, from the form of today
and from that of before.
"""

import json

import pytest
from dnnbench.errors import StoreError
from dnnbench.execution.facts import (
    AuditFacts,
    AuditLine,
    CellFacts,
    Energy,
    GenerationFacts,
    ProgramFacts,
    ProgramMemory,
    Summary,
)
from dnnbench.execution.stored_facts import document, read, stored
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, CellKey, ProgramKey
from dnnbench.spec.costs import MemoryParts
from dnnbench.spec.phases import Phase
from dnnbench.worker.peaks import Peaks

BASE = Arm("torch", "eager", threads=2)
TWIN = Arm("torch", "eager", threads=2, twin=True)
ARMS = {arm.name: arm for arm in (BASE, TWIN)}
CASE = CaseKey("net/1 of two", 8)
FACTS = GenerationFacts(
    compile_cache="empty",
    start_s=2.5,
    system={"affinity": [0, 1]},
    versions={BASE: {"torch": "2.9"}, TWIN: {"torch": "2.9"}},
    machine_peaks={BASE: Peaks(4e9, 2e9, "a product", "a pass")},
    programs={
        ProgramKey(arm, CASE): ProgramFacts(
            {"device": "cpu"},
            AuditFacts(("it waits for nothing",), {"cpus_used": 1.5}),
            compiled_late=1,
            memory=ProgramMemory(8, 16, {Phase.INFER: MemoryParts(1, 2, 3, 4, 5)}),
            idle_cpu=0.01,
        )
        for arm in (BASE, TWIN)
    },
    cells={
        CellKey(TWIN, CASE, Phase.INFER): CellFacts(
            None, None, Energy(4.0, "RAPL"), 1e-3, AuditFacts(error="killed")
        )
    },
    control_idle_cpu={CASE: 0.5},
    fairness={CASE: [AuditLine("threads", {BASE.name: 2}, True)]},
    noop_call_s=Summary(1e-7, 2e-7, 3e-7),
)


@pytest.mark.parametrize("form", [stored, document], ids=["version 2", "by texts"])
def test_facts_are_read_back_as_they_were(form):
    assert read(json.loads(json.dumps(form(FACTS))), ARMS, [CASE]) == FACTS


def test_facts_of_arms_that_the_run_has_not_are_left_out():
    found = read(json.loads(json.dumps(stored(FACTS))), {BASE.name: BASE}, [CASE])
    assert set(found.programs) == {ProgramKey(BASE, CASE)}


def test_facts_that_are_none_are_told_as_those_of_a_store():
    with pytest.raises(StoreError, match="facts stored with a generation"):
        read({"version": 2, "arms": 5}, ARMS, [CASE])
