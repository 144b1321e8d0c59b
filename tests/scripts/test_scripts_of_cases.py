"""Every op in every framework: a script computes what the reference computes, by the rule."""

import pytest
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


def phases_of(backend, name):
    """What is compared of a case: gradients where the backend trains and the case draws nothing.

    A script draws masks of its own: test_scripts_of_zoo.py compares those.
    """
    draws = any(node.op.random for node in CASES[name]().model.nodes)
    return ("infer",) if draws or backend == "onnxruntime" else ("infer", "gradients")


COMPILES_EACH_OP = ("jax", "tensorflow")
"""Their gradients, which are the framework's own, are the matrix's."""


def often(backend, name):
    """Phases of a case that `make test` compares."""
    phases = phases_of(backend, name)
    return phases[:1] if backend in COMPILES_EACH_OP else phases


def rows(backends, names):
    """(backend, case, phase) of everything that is often compared."""
    return [
        in_one_process(backend, name, phase)
        for backend in backends
        for name in names
        for phase in often(backend, name)
    ]


def written(folder, backend, mode, names, phases_of):
    """Scripts by (case, phase); none may be refused."""
    cells = {}
    for name in names:
        workload = CASES[name]()
        weights, [batch] = weights_of(workload), batches_of(workload, count=1, size=3)
        for phase in phases_of(backend, name):
            file = f"{name}_{phase}"
            cell = write(folder, file, arm_of(backend, mode), workload, phase, batch, weights)
            cells[name, phase] = cell, batch
    return cells


class Answers:
    """Of all scripts of a backend, from one interpreter."""

    def __init__(self, folder, backend, mode, names, phases_of):
        self.cells = written(folder, backend, mode, names, phases_of)
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


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """By backend, mode and cases, made when first asked for."""
    made = {}

    def get(backend, mode, names, phases_of):
        key = backend, mode, len(names)
        if key not in made:
            folder = tmp_path_factory.mktemp(f"{backend}_{mode}")
            made[key] = Answers(folder, backend, mode, names, phases_of)
        return made[key]

    return get


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "name", "phase"), rows(BACKENDS, FEW))
def test_every_op_means_the_same(answers, backend, name, phase):
    assert answers(backend, BACKENDS[backend], FEW, often).wrong(name, phase) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("backend", "mode"),
    [in_one_process(*arm, group=arm) for arm in [*BACKENDS.items(), *COMPILED]],
)
def test_every_case_means_the_same(answers, backend, mode):
    every = answers(backend, mode, list(CASES), phases_of)
    assert len(every.cells) > 100
    assert {cell: wrong for cell in every.cells if (wrong := every.wrong(*cell))} == {}
