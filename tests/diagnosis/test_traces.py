"""Calls that leave something behind, and what is wrong at random: faults of the tables in NumPy's
programs, in this process.
"""

from dataclasses import replace

import pytest
from dnnbench.agreement.trace import Part
from dnnbench.agreement.traces import find_traces
from dnnbench.spec.phases import PHASES, Phase
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers import faulty  # noqa: F401  puts the faults on the path
from helpers.in_process import explained
from helpers.replaying import Replay, builder

# isort: split
from dnnbench_faults.every import PROGRAM_FAULTS, STRANGERS
from dnnbench_faults.names import named_of
from dnnbench_faults.planting import ALTERATIONS, Planted
from dnnbench_faults.strangers import BUILT

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


STRANGE = {
    "load_keeps_the_slots": (Part.LOAD, "slots"),
    "snapshots_are_in_float32": (Part.RESTORE, "fewer bits"),
    "slots_go_on_in_the_snapshot": (Part.RESTORE, "slots"),
    "a_step_scales_the_placed_batch": (Phase.TRAIN_STEP, "writes to its placed batch"),
    "a_step_takes_the_batch_placed_last": (Phase.TRAIN_STEP, "it returns"),
    "placed_batches_live_in_a_ring_of_three": (Part.PUT, "placed behind it"),
    "smaller_batches_are_filled_with_their_first_rows": (Part.PUT, "a larger one"),
    "smaller_batches_weigh_less": (Phase.GRADIENTS, "a larger one"),
    "a_second_program_has_half_the_rate": (Part.BUILD, "takes another step"),
}


@pytest.mark.parametrize("mode", STRANGE)
def test_what_a_stranger_s_program_leaves_behind_is_named(mode):
    BUILT.clear()
    fault = next(f for f in STRANGERS if f.mode == mode)
    first, *_ = traces_of(fault.case, fault.change)
    part, words = STRANGE[mode]
    assert first.name == part
    assert words in first.fault


def begun_elsewhere(program):
    """Its slots, of every program but the first."""
    BUILT["begun_elsewhere"] += 1
    if BUILT["begun_elsewhere"] > 1:
        for of_slot in program._slots.values():
            for array in of_slot.values():
                array += 0.01


def slots_of_one(program):
    """All programs have those of the first, from their last load on."""
    honest = program.load

    def load(weights):
        honest(weights)
        SLOTS.append(program._slots)
        program._slots = SLOTS[0]

    program.load = load


SLOTS = []


@pytest.mark.parametrize(
    ("change", "words"),
    [(begun_elsewhere, "begins with other slots"), (slots_of_one, "share slots")],
)
def test_programs_that_know_of_each_other_are_named(change, words):
    BUILT.clear()
    SLOTS.clear()
    first, *_ = traces_of("momentum", change)
    assert first.name == Part.BUILD
    assert words in first.fault


def counted_anew(restore):
    def change(program):
        honest = getattr(program, restore)

        def back(state):
            count = program._step
            honest(state)
            program._step = 0 if restore == "restore" else count

        setattr(program, restore, back)

    return change


@pytest.mark.parametrize("part", [Part.LOAD, Part.RESTORE])
def test_a_count_that_is_not_brought_back_is_named(part):
    """Of a snapshot behind a step; a load begins at 0."""
    first, *_ = traces_of("adam", counted_anew(part))
    assert first.name == part
    assert "count of steps" in first.fault


def placed_by_array(program):
    honest, kept = program.put, {}

    def put(batch):
        key = tuple(map(id, batch.inputs.values()))
        return kept.setdefault(key, (honest(batch), batch))[0]

    program.put = put


def targets_placed_first(program):
    honest, kept = program.put, {}

    def put(batch):
        placed = honest(batch)
        return replace(placed, targets=kept.setdefault(batch.size, placed.targets))

    program.put = put


@pytest.mark.parametrize("change", [placed_by_array, targets_placed_first])
def test_what_is_kept_from_an_earlier_batch_is_named(change):
    first, *_ = traces_of("dense", change)
    assert first.name == Part.PUT
    assert "placed before" in first.fault


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
