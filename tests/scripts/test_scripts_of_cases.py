"""Every op in every framework: a script computes what the reference computes, by the rule."""

import pytest
from dnnbench.errors import UsageError
from dnnbench.spec.ops import OPS
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import weights_of
from helpers.scripting import (
    against_reference,
    arm_of,
    context_of,
    in_one_process,
    run_alone,
    write,
)

EAGER = {"numpy": "eager", "torch": "eager", "tensorflow": "eager", "jax": "eager"}
BACKENDS = {**EAGER, "onnxruntime": "full"}
COMPILED = (("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit"))
PHASES = ("infer", "gradients")
DRAWS = "the script draws its own masks: test_scripts_of_zoo.py"


def covering():
    """Few cases in which every op stands."""
    chosen, missing_ops = [], set(OPS)
    for name, build in CASES.items():
        kinds = {node.op.kind for node in build().model.nodes}
        if kinds & missing_ops:
            chosen.append(name)
            missing_ops -= kinds
    assert not missing_ops
    return chosen


FEW = covering()


def written(folder, backend, mode, names):
    """Scripts by (case, phase), and why there is none."""
    cells, refused = {}, {}
    for name in names:
        workload = CASES[name]()
        weights, [batch] = weights_of(workload), batches_of(workload, count=1, size=3)
        for phase in PHASES:
            arm, file = arm_of(backend, mode), f"{name}_{phase}"
            try:
                cell = write(folder, file, arm, workload, phase, batch, weights)
            except UsageError as error:
                refused[name, phase] = str(error)
            else:
                cells[name, phase] = cell, batch
    return cells, refused


class Answers:
    """Of all scripts of a backend, from one interpreter."""

    def __init__(self, folder, backend, mode, names):
        self.cells, self.refused = written(folder, backend, mode, names)
        every = [cell for cell, _ in self.cells.values()]
        self.answers = dict(zip(self.cells, run_alone(folder, every), strict=True))

    def wrong(self, name, phase):
        """What differs from the reference, as texts."""
        cell, batch = self.cells[name, phase]
        answers = self.answers[name, phase]
        if isinstance(answers, str):
            return [answers]
        workload, weights = cell.request.workload, cell.request.weights
        context = context_of(workload, weights, batch, "float32", [phase])
        differing, count = against_reference(cell, answers, context)
        return differing if count else ["nothing was compared"]

    def not_compared(self, name, phase):
        """Why there is nothing to compare; empty if there is."""
        if reason := self.refused.get((name, phase)):
            return reason
        draws = any(node.op.random for node in CASES[name]().model.nodes)
        return DRAWS if draws and phase != "infer" else ""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """By backend, mode and cases, made when first asked for."""
    made = {}

    def get(backend, mode, names):
        key = backend, mode, len(names)
        if key not in made:
            folder = tmp_path_factory.mktemp(f"{backend}_{mode}")
            made[key] = Answers(folder, backend, mode, names)
        return made[key]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("backend", [in_one_process(backend) for backend in BACKENDS])
def test_every_op_means_the_same(answers, backend, name, phase):
    every = answers(backend, BACKENDS[backend], FEW)
    if reason := every.not_compared(name, phase):
        pytest.skip(reason)
    assert every.wrong(name, phase) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("backend", "mode"),
    [in_one_process(*arm) for arm in [*BACKENDS.items(), *COMPILED]],
)
def test_every_case_means_the_same(answers, backend, mode):
    every = answers(backend, mode, list(CASES))
    compared = [cell for cell in every.cells if not every.not_compared(*cell)]
    differing = {cell: wrong for cell in compared if (wrong := every.wrong(*cell))}
    assert (differing, len(compared) > 100) == ({}, True)
