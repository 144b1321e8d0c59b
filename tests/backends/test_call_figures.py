"""What backends count of a call: the same again, more of a larger network, and nothing changed."""

import numpy as np
import pytest
from dnnbench.protocol.figures import Figure, FigureKind
from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Synthetic
from dnnbench.spec.phases import Phase
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases.batches import batches_of
from helpers.programs import built

pytestmark = pytest.mark.slow

SLOW = pytest.mark.exhaustive
TRAINED = [
    "numpy:eager",
    "torch:eager",
    pytest.param("torch:compile", marks=SLOW),
    "tensorflow:graph",
    pytest.param("tensorflow:xla", marks=SLOW),
    pytest.param("tensorflow:eager", marks=SLOW),
    "jax:jit",
    pytest.param("jax:eager", marks=SLOW),
]


def network(layers):
    net = Builder("net")
    x = net.input("x", (8,))
    for _ in range(layers):
        x = net.relu(net.dense(x, units=8))
    model = net.build(net.dense(x, units=3))
    return Workload(name="net", model=model, task=Task(data=Synthetic(examples=16)))


def counted(arm, phase, layers=1):
    """(figures of a call by name, the program, its batch)"""
    workload = network(layers)
    program = built(arm, workload)
    placed = program.put(batches_of(workload)[0])
    program.wait(getattr(program, phase)(placed))
    return {figure.name: figure for figure in program.figures(phase, placed)}, program, placed


def deterministic(figures):
    return {
        name: figure.value
        for name, figure in figures.items()
        if figure.kind is FigureKind.DETERMINISTIC
    }


@pytest.mark.parametrize("arm", TRAINED)
def test_counting_again_counts_the_same(arm):
    figures, program, placed = counted(arm, Phase.TRAIN_STEP)
    again = {figure.name: figure for figure in program.figures(Phase.TRAIN_STEP, placed)}
    assert deterministic(figures) == deterministic(again)


@pytest.mark.parametrize("arm", TRAINED)
def test_another_layer_is_more_operators_of_a_step(arm):
    one, two = (counted(arm, Phase.TRAIN_STEP, n)[0]["operators"].value for n in (1, 2))
    assert 0 < one < two


@pytest.mark.parametrize("arm", [*TRAINED, "onnxruntime:unoptimized"])
def test_another_layer_is_more_operators_of_an_inference(arm):
    one, two = (counted(arm, Phase.INFER, n)[0]["operators"].value for n in (1, 2))
    assert 0 < one < two


@pytest.mark.parametrize(
    "arm", ["torch:eager", pytest.param("torch:compile", marks=SLOW), "tensorflow:graph", "jax:jit"]
)
def test_another_layer_is_more_flops(arm):
    one, two = (counted(arm, Phase.INFER, layers)[0]["flops"].value for layers in (1, 2))
    assert 0 < one < two


@pytest.mark.parametrize("arm", TRAINED)
def test_counting_compiles_nothing_that_a_visit_would_be_blamed_for(arm):
    _, program, placed = counted(arm, Phase.TRAIN_STEP)
    before = program.facts()["compilations"]
    program.figures(Phase.TRAIN_STEP, placed)
    assert program.facts()["compilations"] == before


@pytest.mark.parametrize("arm", TRAINED)
def test_what_is_timed_afterwards_is_the_program_as_it_was(arm):
    _, program, placed = counted(arm, Phase.INFER)
    before = program.get(program.infer(placed))
    program.figures(Phase.INFER, placed)
    after = program.get(program.infer(placed))
    assert all(np.array_equal(before[key], after[key]) for key in before)


@SLOW
def test_a_compiled_step_says_its_graphs_and_breaks():
    figures, *_ = counted("torch:compile", Phase.TRAIN_STEP)
    assert figures["graphs"].value >= 2
    assert figures["graph_breaks"].value == 0
    assert figures["compilations"].value >= 1
    assert figures["kernels"].value >= 1


def test_the_compiler_says_what_memory_a_program_takes():
    figures, *_ = counted("jax:jit", Phase.TRAIN_STEP)
    assert figures["output_bytes"].value > 0
    assert figures["bytes_accessed"].value > 0


def test_pytorch_s_allocator_is_counted():
    one, two = (counted("torch:eager", Phase.TRAIN_STEP, layers)[0] for layers in (1, 2))
    assert 0 < one["allocations"].value < two["allocations"].value
    assert 0 < one["allocated_bytes"].value < two["allocated_bytes"].value


@pytest.mark.parametrize("name", ["", "Operators", "peak bytes", "1st"])
def test_a_name_that_no_policy_could_name_is_refused(name):
    with pytest.raises(ValueError, match="Figure: got the name"):
        Figure(name, 1, "B")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="expected a finite number"):
        Figure("flops", value, "FLOP")
