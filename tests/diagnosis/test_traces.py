"""Calls that leave something behind, and what is wrong at random: faults of the tables in NumPy's
programs, in this process.
"""

import pytest
from dnnbench.agreement.traces import Part, find_traces
from dnnbench.spec.phases import PHASES, Phase
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers import faulty  # noqa: F401  puts the faults on the path
from helpers.in_process import explained
from helpers.replaying import Replay, builder

# isort: split
from dnnbench_faults.every import PROGRAM_FAULTS
from dnnbench_faults.names import named_of
from dnnbench_faults.planting import ALTERATIONS, Planted

QUIET = ("dense", "adam", "batch_norm", "dropout", "attention_masked", "embedding")


def traces_of(case, change=lambda program: None):
    workload = CASES[case]()
    batches = batches_of(workload)
    honest = builder(Replay(workload, tuple(batches)))

    def build(variant):
        program = honest(variant)
        change(program)
        return program

    return find_traces(build, workload, batches, PHASES)


@pytest.mark.parametrize("case", QUIET)
def test_an_honest_program_leaves_nothing_behind(case):
    assert traces_of(case) == []


GAPS = ("what a step returns", "waiting and memory", "restore")
LEAVING = [
    fault
    for fault in PROGRAM_FAULTS
    if fault.backend == "numpy" and (fault.gap in GAPS or "odd" in fault.mode)
]


@pytest.mark.parametrize("fault", LEAVING, ids=lambda fault: f"{fault.mode}-{fault.case}")
def test_what_a_faulty_program_leaves_behind_is_named(fault):
    first, *_ = traces_of(fault.case, fault.change)
    wanted = named_of(fault)
    assert first.name in wanted.parts
    assert wanted.words in first.fault


def test_many_kinds_of_traces_are_tried():
    parts = {part for fault in LEAVING for part in named_of(fault).parts}
    assert parts >= {Part.PUT, Part.RESTORE, Phase.INFER, Phase.GRADIENTS, Phase.TRAIN_STEP}


def test_inference_that_moves_statistics_is_named_and_not_the_norm():
    Planted().plant("numpy", "infer_statistics_moved")
    trace, *_ = traces_of("batch_norm", ALTERATIONS["numpy", "infer_statistics_moved"])
    assert trace.name == Phase.INFER
    assert trace.fault == "it moves running statistics"


def test_gradients_that_are_not_cleared_are_named():
    def change(program):
        honest, total = program.gradients, {}

        def gradients(batch):
            result = honest(batch)
            for name, g in result["gradients"].items():
                total[name] = total.get(name, 0) + g
            return {**result, "gradients": dict(total)}

        program.gradients = gradients

    first, *_ = traces_of("dense", change)
    assert first.name == Phase.GRADIENTS
    assert "not cleared" in first.fault


def test_a_node_that_is_wrong_at_random_is_named():
    from dnnbench_numpy import gradients

    def plant(patch):
        honest, calls = gradients.tanh, []

        def sometimes(op, g, y, x):
            calls.append(1)
            return honest(op, g * (1.5 if len(calls) % 9 == 0 else 1.0), y, x)

        patch.setattr(gradients, "tanh", sometimes)

    explanation, _ = explained("tanh", plant)
    assert (explanation.what, explanation.op) == ("node", "tanh")
    assert "at random" in explanation.convention
