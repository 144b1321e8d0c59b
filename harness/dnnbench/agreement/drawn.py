"""The branch that is timed: masks that the framework draws, read and tested, and the same network
with just these masks from outside, which the reference has checked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..protocol.program import Trainable, trainable
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .allowances import UNIT
from .comparing import compare
from .comparison import TensorComparison
from .keys import Group, TensorKey, Tensors, keyed, outputs_of
from .observing import Build, changed_weights, put_all, weights_in_float64
from .reference import Reference
from .thinned import (
    Draw,
    agreement_off,
    halves,
    random_nodes,
    read_draws,
    readable,
    repeated,
    share_off,
    worst_off,
)
from .timed import How, how, scaled_reference

STEPS, FEW_STEPS, MANY_STEPS = 8, 2, 24
"""Training steps whose masks are counted; fewer where an evaluation is not cheap, more where whole
examples fall out, of which a batch has few.
"""
NOT_BROUGHT_BACK = "the step after `restore` draws another mask than the one that it took back"
PAIRS = 48
"""Pairs of neighbouring examples that tell one coin for all of them from a coin each."""


@dataclass
class _Seen:
    """Draws by node, one after the other, and tensors under drawn masks and under the same ones
    from outside.

    gradients: under the masks of the first step; of a program without that phase none
    not_brought_back: nodes whose masks after `restore` are not those that came after the snapshot
    """

    draws: dict[str, list[Draw]] = field(default_factory=dict)
    drawn: Tensors = field(default_factory=dict)
    outside: Tensors = field(default_factory=dict)
    gradients: Tensors = field(default_factory=dict)
    not_brought_back: list[str] = field(default_factory=list)


def compare_drawn(
    build: Build,
    workload: Workload,
    dtype: str,
    reference: Reference,
    batch: Batch,
    phases: Collection[Phase],
) -> list[TensorComparison]:
    """What the framework's own masks make of a batch: which share they keep, how kept values are
    scaled, whether each step draws anew, and every tensor against that under the same masks
    from outside.

    Nothing of a network that draws none. Where an evaluation of the batch is not cheap,
    the last phase alone, which contains the others.
    """
    cheap = how(workload, batch.size) is How.WHOLE
    called = [phase for phase in PHASES[1:] if phase in phases][0 if cheap else -1 :]
    if not called or not random_nodes(workload.model):
        return []
    program = trainable(build(readable(workload)))
    try:
        steps = _steps(workload, batch.size) if cheap else FEW_STEPS
        gradients = Phase.GRADIENTS in phases
        seen = _see(program, workload, batch, called, steps, gradients, UNIT[DType(dtype)])
    finally:
        program.close()
    tensors = _tensors(reference, seen, workload, dtype, batch.size, called)
    moment = (workload.task.optimizer.kind, 1) if called[-1] is Phase.TRAIN_STEP else ("", 0)
    keys = {name: TensorKey(Group.OUTPUTS, name, called[-1], *moment) for name in seen.draws}
    findings = compare_draws(seen.draws, keys)
    for name in seen.not_brought_back:
        findings.append(TensorComparison(keys[name], float("inf"), NOT_BROUGHT_BACK))
    return [*findings, *tensors]


def _tensors(
    reference: Reference,
    seen: _Seen,
    workload: Workload,
    dtype: str,
    rows: int,
    called: Collection[Phase],
) -> list[TensorComparison]:
    """Every tensor under drawn masks against that under the same ones from outside.

    Each phase draws masks of its own. What a step may do is told by the gradients under its masks,
    which the step does not give.
    """
    outside = {key: array for key, array in seen.outside.items() if key in reference.tensors}
    of_step = {key: array for key, array in outside.items() if key.optimizer}
    before = {key: array for key, array in outside.items() if not key.optimizer}
    gradients = {key: array for key, array in seen.gradients.items() if key in reference.tensors}

    def compared(wanted: Tensors, phases: Collection[Phase]) -> list[TensorComparison]:
        scaled = scaled_reference(reference, _gradients(reference) | wanted, rows)
        return compare(scaled, seen.drawn, workload, dtype, phases)

    passes = [phase for phase in called if phase is not Phase.TRAIN_STEP]
    return [*compared(before, passes), *compared(gradients | of_step, [Phase.TRAIN_STEP])]


def _steps(workload: Workload, rows: int) -> int:
    """How many steps show whether examples know of each other."""
    by_example = any(node.op.kind == "stochastic_depth" for node in random_nodes(workload.model))
    if not by_example or rows < 2:
        return STEPS
    return max(STEPS, min(MANY_STEPS, -(-PAIRS // (rows // 2))))


def _gradients(reference: Reference) -> Tensors:
    """Under the check's own masks: of the same sizes."""
    at_start = [key for key in reference.tensors if key.at_start]
    return {key: reference.tensors[key] for key in at_start if key.group is Group.GRADIENTS}


def _see(
    program: Trainable,
    workload: Workload,
    batch: Batch,
    phases: list[Phase],
    steps: int,
    gradients: bool,
    unit: float,
) -> _Seen:
    seen = _Seen()
    (placed,) = put_all(program, [replace(batch, masks={})])
    for phase in phases:
        if phase is Phase.TRAIN_STEP:
            _see_steps(program, workload, batch, placed, steps, gradients, unit, seen)
            continue
        drawn = program.get(getattr(program, phase)(placed))
        draws = _draws(workload, drawn, batch, unit)
        (replaced,) = put_all(program, [_with_masks(batch, draws)])
        seen.drawn |= keyed(drawn, phase)
        seen.outside |= keyed(program.get(getattr(program, phase)(replaced)), phase)
        if phase is phases[-1]:  # a phase may draw what the next one will draw
            _note(draws, seen)
    return seen


def _see_steps(
    program: Trainable,
    workload: Workload,
    batch: Batch,
    placed: Any,
    steps: int,
    gradients: bool,
    unit: float,
    seen: _Seen,
) -> None:
    """Steps that draw; then the first one again, from where it began, with its masks given.

    gradients: whether the program has that phase
    """
    optimizer, snapshot = workload.task.optimizer.kind, program.snapshot()
    drawn, draws = _step(program, placed, optimizer)
    first = _draws(workload, draws, batch, unit)
    _note(first, seen)
    for _ in range(steps - 1):
        _, result = _step(program, placed, optimizer)
        _note(_draws(workload, result, batch, unit), seen)
    program.restore(snapshot)
    if steps > FEW_STEPS:
        _, result = _step(program, placed, optimizer)
        again = _draws(workload, result, batch, unit)
        seen.not_brought_back = [
            name for name in first if not np.array_equal(first[name].mask, again[name].mask)
        ]
        program.restore(snapshot)
    (replaced,) = put_all(program, [_with_masks(batch, first)])
    if gradients:
        seen.gradients = keyed(program.get(program.gradients(replaced)), Phase.GRADIENTS)
        program.restore(snapshot)
    seen.drawn |= drawn
    seen.outside |= _step(program, replaced, optimizer)[0]


def _step(
    program: Trainable, placed: Any, optimizer: str
) -> tuple[Tensors, Mapping[str, np.ndarray]]:
    """(what one step returns and makes of the weights, its result)"""
    start = weights_in_float64(program)
    result = program.train_step(placed)
    program.wait(result)
    arrays = program.get(result)
    tensors = keyed(arrays, Phase.TRAIN_STEP, optimizer, 1)
    return tensors | changed_weights(program, start, optimizer, 1), arrays


def _note(draws: Mapping[str, Draw], seen: _Seen) -> None:
    for name, draw in draws.items():
        seen.draws.setdefault(name, []).append(draw)


def _draws(
    workload: Workload, result: Mapping[str, np.ndarray], batch: Batch, unit: float
) -> dict[str, Draw]:
    return read_draws(workload.model, {**batch.inputs, **outputs_of(result)}, unit)


def _with_masks(batch: Batch, draws: Mapping[str, Draw]) -> Batch:
    return replace(batch, masks={name: draw.mask for name, draw in draws.items()})


def compare_draws(
    draws: Mapping[str, list[Draw]], keys: Mapping[str, TensorKey]
) -> list[TensorComparison]:
    """What speaks against the draws of each random node, by the key that stands for the node."""
    return [*_of_draws(draws, keys), *_of_independence(draws, keys)]


def _of_draws(
    draws: Mapping[str, list[Draw]], keys: Mapping[str, TensorKey]
) -> list[TensorComparison]:
    """What speaks against the masks of each node, and of all together."""
    findings = []
    for name, of_node in draws.items():
        key = keys[name]
        together = [draw for others in draws.values() for draw in others]
        for what, several in ((name, of_node), ("all random nodes together", together)):
            ratio, share, count = share_off(several, 2 * len(draws))
            reason = f"{what}: {share:.2%} of {count} elements are kept"
            findings.append(TensorComparison(key, ratio, reason))
        off = worst_off(of_node)
        reason = "kept values are not x / (1 - rate), or dropped ones not 0"
        findings.append(TensorComparison(key, off, reason))
    return findings


def _of_independence(
    draws: Mapping[str, list[Draw]], keys: Mapping[str, TensorKey]
) -> list[TensorComparison]:
    """What speaks against masks that should know nothing of each other: of two steps, of two rows,
    of two nodes.
    """
    findings = []
    nodes = list(combinations(draws, 2))
    tests = len(draws) + len(nodes)
    for name, of_node in draws.items():
        steps = list(combinations(of_node, 2))
        if any(repeated(one, two, len(draws) * len(steps)) for one, two in steps):
            reason = "a step has the mask of an earlier one"
            findings.append(TensorComparison(keys[name], float("inf"), reason))
        off, share, count = agreement_off([halves(draw) for draw in of_node], tests)
        reason = f"neighbouring rows fall out alike in {share:.2%} of {count} elements"
        findings.append(TensorComparison(keys[name], off, reason))
    for one, other in nodes:
        pairs = zip(draws[one], draws[other], strict=True)
        alike = [(a, b) for a, b in pairs if a.mask.shape == b.mask.shape]
        off, share, count = agreement_off(alike, tests)
        reason = f"{one} and {other} fall out alike in {share:.2%} of {count} elements"
        findings.append(TensorComparison(keys[one], off, reason))
    return findings
