"""What a phase answers before the first visit of a generation and after the last one."""

import numpy as np
import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.answers import answer_number, answers_differ
from dnnbench.worker.bench import Bench
from dnnbench_numpy.backend import NumpyBackend

NAN, INF = float("nan"), float("inf")


def measured(case, change=lambda program: None):
    """By phase, the answers around a few visits; masks are the framework's own, as where time is
    taken. What `change` returns, if anything, is called between the visits and the last answers.
    """
    workload = CASES[case]()
    weights = initial_weights(workload.model, 0)
    program = NumpyBackend().build(workload, weights, Arm("numpy", "eager"))
    later = change(program) or (lambda: None)
    batch = batches_of(workload)[0]
    batch.masks.clear()
    bench = Bench(program, batch, tuple(Phase), settle_s=0.0)
    for phase in Phase:
        bench.first_call(phase)
        bench.warm_up(phase)
        bench.visit(phase, 3)
    later()
    return bench.describe(24.0, "0").answers


def changed(answers):
    return {phase for phase, pair in answers.items() if answers_differ(*pair, "float32")}


@pytest.mark.parametrize("case", ["everything", "dropout"])
def test_an_honest_program_answers_as_before(case):
    answers = measured(case)
    assert set(answers) == set(Phase)
    assert changed(answers) == set()


def worn_out(program):
    """Inference gives another answer in the end."""
    honest, worn = program.infer, []

    def infer(batch):
        result = honest(batch)
        scale = 1.001 if worn else 1.0
        return {**result, "outputs": {n: a * scale for n, a in result["outputs"].items()}}

    program.infer = infer
    return lambda: worn.append(True)


def restore_keeps_a_weight(program):
    honest = program.restore

    def restore(snapshot):
        kept = program.weights()["logits.bias"]
        honest(snapshot)
        program._weights["logits.bias"][...] = kept

    program.restore = restore


@pytest.mark.parametrize(
    ("change", "phases"),
    [(worn_out, {Phase.INFER}), (restore_keeps_a_weight, set(Phase) - {Phase.LOSS_ALONE})],
)
def test_answers_that_change_between_the_first_visit_and_the_last_are_told(change, phases):
    assert changed(measured("dense", change)) == phases


@pytest.mark.parametrize(
    ("first", "last", "dtype", "differ"),
    [
        (1.0, 1.0 + 1e-6, "float32", False),
        (1.0, 1.0 + 1e-6, "float64", True),
        (1.0, 1.001, "bfloat16", False),
        (NAN, NAN, "float32", False),
        (NAN, 1.0, "float32", True),
        (INF, INF, "float32", False),
        (INF, 1.0, "float32", True),
    ],
)
def test_answers_may_differ_by_rounding(first, last, dtype, differ):
    assert answers_differ(first, last, dtype) is differ


def test_rows_that_change_places_are_another_answer():
    rows = np.arange(12.0).reshape(4, 3)
    assert answer_number({"outputs/y": rows}) != answer_number({"outputs/y": rows[::-1]})
