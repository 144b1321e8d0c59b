"""Every op in every framework: a script computes what the reference computes, by the rule."""

import pytest
from dnnbench.errors import UsageError
from dnnbench.spec.ops import OPS
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import weights_of
from helpers.scripting import against_reference, arm_of, context_of, run_alone, write

EAGER = {"numpy": "eager", "torch": "eager", "tensorflow": "eager", "jax": "eager"}
BACKENDS = {**EAGER, "onnxruntime": "full"}
PHASES = ("infer", "gradients")


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

    def check(self, name, phase):
        if (name, phase) in self.refused:
            pytest.skip(self.refused[name, phase])
        cell, batch = self.cells[name, phase]
        answers = self.answers[name, phase]
        assert not isinstance(answers, str), answers
        workload = cell.request.workload
        if phase != "infer" and any(node.op.random for node in workload.model.nodes):
            pytest.skip("the script draws its own masks: test_scripts_of_zoo.py")
        context = context_of(workload, cell.request.weights, batch, "float32", [phase])
        wrong, count = against_reference(cell, answers, context)
        assert wrong == []
        assert count > 0


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
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_op_means_the_same(answers, backend, name, phase):
    answers(backend, BACKENDS[backend], FEW).check(name, phase)


@pytest.mark.exhaustive
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("backend", "mode"),
    [*BACKENDS.items(), ("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit")],
)
def test_every_case_means_the_same(answers, backend, mode, name, phase):
    answers(backend, mode, list(CASES)).check(name, phase)
