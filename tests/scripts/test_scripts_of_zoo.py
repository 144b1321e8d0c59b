"""The zoo in every framework: a script computes what the Program computes, within the rule.

Each side draws what its random ops need, from one seed.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from dnnbench.plugins.catalog import find_workload, find_workloads
from dnnbench.protocol.batch import Batch
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import weights_of
from helpers.script_service import Calling
from helpers.scripting import (
    SEED,
    against_program,
    arm_of,
    context_of,
    in_one_process,
    run_alone,
    write,
)

TINY = [workload.name for workload in find_workloads("all[tiny]")]
ZOO = ["mlp_digits", "cnn_digits", *TINY]
ARMS = {
    "numpy": ("eager",),
    "torch": ("eager", "compile"),
    "tensorflow": ("graph", "eager", "xla"),
    "jax": ("jit", "eager", "plain"),
    "onnxruntime": ("full", "unoptimized"),
}
FEW = {
    ("cnn_digits", "train_step"),
    ("lstm_lm[tiny]", "train_step"),
    ("gpt2_small_decode[tiny]", "infer"),
}
"""Convolutions; dropout, clipping and a step that counts; attention after a cache."""
PHASES = ("infer", "train_step")
STEPS = {"infer": 1, "train_step": 2}
TIMEOUT_S = 600


class Scripts:
    """Of a backend in one mode: written at once, run in one interpreter."""

    def __init__(self, folder, backend, mode, cells):
        self.cells = {}
        for name, phase in cells:
            workload, steps = find_workload(name), STEPS[phase]
            weights, [batch] = weights_of(workload), batches_of(workload, count=1, size=2)
            place = f"cell{len(self.cells)}"
            arm = arm_of(backend, mode)
            cell = write(folder, place, arm, workload, phase, batch, weights, steps)
            self.cells[name, phase] = cell, batch
        every = [cell for cell, _ in self.cells.values()]
        self.answers = dict(zip(self.cells, run_alone(folder, every), strict=True))

    def compare(self, worker, name, phase):
        """What differs from the Program's."""
        (cell, batch), answers = self.cells[name, phase], self.answers[name, phase]
        assert not isinstance(answers, str), answers
        workload, weights = cell.request.workload, cell.request.weights
        drawing = Batch(batch.inputs, batch.targets)
        program = worker.ask(
            Calling.answers, TIMEOUT_S, workload, weights, drawing, phase, cell.steps, SEED
        )
        return against_program(cell, answers, program, allowances(name, phase))


@cache
def allowances(name, phase):
    """What the rule reads of the reference, with masks of its own where the network draws."""
    workload = find_workload(name)
    weights, [batch] = weights_of(workload), batches_of(workload, count=1, size=2)
    phases = ["infer"] if phase == "infer" else ["gradients", phase]
    return context_of(workload, weights, batch, "float32", phases, (STEPS[phase],))


@pytest.fixture(scope="module")
def answering():
    """The service of workers that give a program's results back, and find these helpers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
        yield "helpers.script_service:Answering"


@pytest.fixture(scope="module")
def scripts(request, tmp_path_factory):
    """By backend, mode and cells, made when first asked for: of those that this session runs."""
    made = {}
    chosen = {
        tuple(item.callspec.params[n] for n in ("backend", "name", "phase"))
        for item in request.session.items
        if "scripts" in item.fixturenames
    }

    def get(backend, mode, cells):
        key = backend, mode, len(cells)
        if key not in made:
            folder = tmp_path_factory.mktemp(f"zoo_{backend}_{mode}")
            run = [cell for cell in cells if (backend, *cell) in chosen]
            made[key] = Scripts(folder, backend, mode, run)
        return made[key]

    return get


def cells_of(names):
    """(name, phase) of everything that a network is for."""
    return [
        (name, phase)
        for name in names
        for phase in PHASES
        if phase == "infer" or not find_workload(name).inference_only
    ]


WHOLE = cells_of(ZOO)


def offered(backend, cells):
    """Of these the ones whose phase the backend has."""
    return [cell for cell in cells if backend != "onnxruntime" or cell[1] == "infer"]


LONG_TO_COMPILE = ("tensorflow", "jax")
"""Whose scripts of the zoo the matrix runs: test_scripts_of_cases.py runs those of ops often."""
FEW_ROWS = [
    in_one_process(backend, *cell)
    for backend in ARMS
    if backend not in LONG_TO_COMPILE
    for cell in offered(backend, sorted(FEW))
]
WHOLE_ROWS = [
    in_one_process(backend, mode, *cell, group=(backend, mode))
    for backend in ARMS
    for mode in ARMS[backend]
    for cell in offered(backend, WHOLE)
]


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "name", "phase"), FEW_ROWS)
def test_a_script_computes_what_the_program_does(scripts, workers, answering, backend, name, phase):
    mode = ARMS[backend][0]
    made = scripts(backend, mode, offered(backend, sorted(FEW)))
    wrong, count = made.compare(workers.get(backend, mode, service=answering), name, phase)
    assert wrong == []
    assert count > 0


@pytest.mark.exhaustive
@pytest.mark.parametrize(("backend", "mode", "name", "phase"), WHOLE_ROWS)
def test_every_tiny_network_of_the_zoo(scripts, workers, answering, backend, mode, name, phase):
    made = scripts(backend, mode, offered(backend, WHOLE))
    wrong, count = made.compare(workers.get(backend, mode, service=answering), name, phase)
    assert wrong == []
    assert count > 0


def test_the_zoo_is_whole():
    assert len({name.partition("[")[0] for name in ZOO}) == 26
