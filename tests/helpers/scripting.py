"""Scripts of cells written without a store, and run where there is no dnnbench."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from dnnbench.agreement.comparing import compare_tensor
from dnnbench.agreement.deviation import largest, rmse
from dnnbench.agreement.keys import Group, TensorKey, keyed
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.rule_context import rule_context
from dnnbench.agreement.rules import allowance_of
from dnnbench.plugins.discovery import load_script_writer, plugins
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.dtypes import DType
from dnnbench.scripts.assembling import script
from dnnbench.scripts.provenance import Provenance
from dnnbench.scripts.writer import ScriptRequest
from dnnbench.spec.phases import Phase
from dnnbench_numpy.backend import NumpyBackend

ALONE = Path(__file__).with_name("scripts_alone.py")
ORIGIN = Provenance(
    run="r1",
    cell="c1",
    dnnbench="0",
    call_s=1e-3,
    visits=20,
    calls=1,
    machine="a machine",
    versions={"python": "3"},
    weights="initial ones of seed 0",
)
SEED = 3


@dataclass(frozen=True)
class Cell:
    """What a script is written of, and where it lies."""

    request: ScriptRequest
    path: Path
    steps: int = 1

    @property
    def answers_path(self) -> Path:
        return self.path.with_suffix(".answers.npz")


def write(folder, name, arm, workload, phase, batch, weights, steps=1) -> Cell:
    """The script of a cell, in the folder; UsageError where it is not written yet."""
    own = Batch(batch.inputs, batch.targets)  # random ops draw
    request = ScriptRequest(workload, arm, Phase(phase), SEED, own, weights, name)
    made = script(writer_of(arm.backend), request, ORIGIN)
    path = folder / made.name
    path.write_text(made.text)
    for file, content in made.beside.items():
        (folder / file).write_bytes(content)
    return Cell(request, path, steps)


@cache
def writer_of(backend):
    return load_script_writer(plugins().backend(backend).script)


def arm_of(backend, mode="", dtype="float32"):
    info = plugins().backend(backend)
    return Arm(backend, mode or info.default_mode, dtype=DType(dtype))


def in_one_process(backend, *values, group=()):
    """Parameters of tests that share what one interpreter answered.

    group: what tells these from others of the backend that another interpreter answers.
    """
    shared = pytest.mark.xdist_group(f"scripts of {'-'.join(group or (backend,))}")
    return pytest.param(backend, *values, marks=shared)


def run_alone(folder, cells):
    """Answers of every cell by its place, all from one interpreter; what failed as its text."""
    listed = [
        [str(cell.path), ["--check", str(cell.answers_path), "--steps", str(cell.steps)]]
        for cell in cells
    ]
    listing = folder / "scripts.json"
    listing.write_text(json.dumps([[str(Path(np.__file__).parents[1])], listed]))
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ALONE), str(listing)],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        timeout=3000,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    failures = json.loads(done.stdout.splitlines()[-1])
    return [failure or read_answers(cell) for cell, failure in zip(cells, failures, strict=True)]


def read_answers(cell):
    """In canonical layouts, as `Program.get` names them."""
    with np.load(cell.answers_path) as stored:
        answers = dict(stored)
    return writer_of(cell.request.arm.backend).canonical(cell.request, answers)


def context_of(workload, weights, batch, dtype, phases, steps=(1,)):
    """What the rule reads of the NumPy reference."""

    def build_in(mode, dtype):
        arm = Arm("numpy", mode, dtype=DType(dtype))
        return lambda workload: NumpyBackend().build(workload, weights, arm, 0)

    whole = [phase for phase in Phase if phase in phases]
    reference = make_reference(build_in, workload, [batch], steps, dtype, phases=whole)
    return rule_context(reference, workload, dtype)


def by_key(cell, answers):
    """Answers that a check observes, by key; weights as what the steps changed of them."""
    request, steps = cell.request, cell.steps
    if request.phase != Phase.TRAIN_STEP:
        return keyed(answers, request.phase)
    optimizer = request.workload.task.optimizer.kind
    kept = {}
    for text, array in answers.items():
        group, _, name = text.partition("/")
        if group in (Group.WEIGHTS, Group.STATE):
            change = array.astype(np.float64)
            change = change - request.weights[name] if group == Group.WEIGHTS else array
            kept[TensorKey(Group(group), name, Phase.TRAIN_STEP, optimizer, steps)] = change
    return kept


def against_reference(cell, answers, context):
    """Every tensor that the rule refuses, with its reason; and how many there were."""
    wanted = [key for key in context.reference.tensors if _belongs(key, cell)]
    answered = by_key(cell, answers)
    comparisons = [compare_tensor(key, answered.get(key), context) for key in wanted]
    return [f"{c.key}: {c.reason}" for c in comparisons if not c.ratio <= 1], len(wanted)


def _belongs(key, cell):
    phase = cell.request.phase
    if key.group is Group.PARTS or key.far or key.initial:  # of another batch, or other weights
        return False
    if phase != Phase.TRAIN_STEP:
        return key.phase == phase and not key.optimizer
    own = cell.request.workload.task.optimizer.kind
    groups = (Group.WEIGHTS, Group.STATE)
    return key.group in groups and key.trajectory == (own, cell.steps)


def against_program(cell, answers, program, context):
    """As `against_reference`, of two honest evaluations: within what the rule allows a tensor."""
    ours, theirs = by_key(cell, answers), by_key(cell, program)
    wrong = [f"{key}: only one side has it" for key in ours.keys() ^ theirs.keys()]
    for key in ours.keys() & theirs.keys():
        if key.group is Group.PREDICTION or key not in context.reference.tensors:
            continue
        allowed = allowance_of(key, context)
        a, b = ours[key], theirs[key]
        if a.shape != b.shape:
            wrong.append(f"{key}: {a.shape} against {b.shape}")
        elif not (rmse(a, b) <= allowed.rmse and largest(a, b) <= allowed.largest):
            wrong.append(f"{key}: rmse {rmse(a, b):.2e}, allowed {allowed.rmse:.2e}")
    return wrong, len(ours)
