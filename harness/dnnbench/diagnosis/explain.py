"""The search for the first divergence: candidates are replayed until one alone is wrong too."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..agreement.check import DRAWN, TIMED, Agreement, Kind
from ..agreement.comparison import TensorComparison
from ..agreement.keys import Group, TensorKey, gradient_of
from ..agreement.observing import optimizer_by_kind
from ..agreement.replay import Replay
from ..agreement.starting import start_weights
from ..agreement.status import Status
from ..protocol.batch import Batch
from ..spec.model import Node
from ..spec.phases import PIECES, Phase
from ..spec.workload import Workload
from .candidates import START, Candidate, Moment, candidates
from .explanation import Explanation, tensor_in_words
from .known_faults import UNKNOWN, fault_of_node, fault_of_optimizer, most_telling_first
from .replay import loss_alone, node_alone, optimizer_alone
from .replayer import Replayer, ReplayResult
from .wrong_tensor import WrongTensor

MOST_REPLAYS = 40
"""Candidates that are replayed before the search is given up."""


def explain(
    workload: Workload,
    batches: Sequence[Batch],
    rows: Sequence[Agreement],
    seed: int,
    replayer: Replayer,
) -> Explanation:
    """Why a check's `rows` for one arm, workload and element type are not all right."""
    if all(Kind.parse(row.kind).branch for row in rows if row.status is Status.DIFFERS):
        return _by_branch(rows)
    weights = start_weights(workload.model, seed)
    whole = Replay(workload, tuple(batches[:2]), (1,), weights)
    comparisons, reference = replayer.compare_network(whole)
    by_key = {comparison.key: comparison for comparison in comparisons}
    first: Candidate | None = None
    for count, candidate in enumerate(candidates(workload, by_key, rows)):
        if candidate.what == "phase":
            return _stale_phase(candidate)
        if count == MOST_REPLAYS:
            break
        first = first or candidate
        replay = _replay(workload, candidate, reference, batches, weights)
        result = replayer.compare(replay)
        if wrong := _confirming(candidate, result.comparisons):
            return _confirmed(workload, candidate, wrong, replay, result, replayer)
    return _unconfirmed(workload, first) if first else _by_phase(rows)


def _confirming(
    candidate: Candidate, comparisons: Sequence[TensorComparison]
) -> list[TensorComparison]:
    """Wrong tensors of the part alone that say it is this part."""
    differing = [comparison for comparison in comparisons if comparison.status is Status.DIFFERS]
    return [comparison for comparison in differing if candidate.concerns(comparison.key)]


def _replay(
    workload: Workload,
    candidate: Candidate,
    reference: Mapping[TensorKey, np.ndarray],
    batches: Sequence[Batch],
    weights: Mapping[str, np.ndarray],
) -> Replay:
    """The candidate alone, on what it reads in the reference's network."""
    model = workload.model
    if candidate.what in ("loss", "prediction"):
        logits = reference[TensorKey(Group.ACTIVATIONS, model.outputs[0])]
        return loss_alone(workload, logits, batches[0].targets)
    if candidate.what == "optimizer":
        gradients = {name: reference[gradient_of(name)] for name in model.parameters}
        optimizer = optimizer_by_kind(workload, candidate.name)
        return optimizer_alone(optimizer, weights, gradients, candidate.steps)
    node = model.node(candidate.name)
    moments = [(START, batches[0])]
    if candidate.steps:
        moments.append(((workload.task.optimizer.kind, 1), batches[1 % len(batches)]))
    read = [_inputs(node, reference, moment, batch, weights) for moment, batch in moments]
    masks = [_masks(node, batch) for _, batch in moments]
    return node_alone(workload, node, read, masks, weights, candidate.steps)


def _inputs(
    node: Node,
    reference: Mapping[TensorKey, np.ndarray],
    moment: Moment,
    batch: Batch,
    weights: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """What a node reads in the reference's network, by name."""
    inputs = {}
    for name in node.inputs:
        if name in batch.inputs:
            inputs[name] = batch.inputs[name]
        elif name in weights:
            inputs[name] = weights[name]
        else:
            inputs[name] = reference[TensorKey(Group.ACTIVATIONS, name).after(*moment)]
    return inputs


def _masks(node: Node, batch: Batch) -> dict[str, np.ndarray]:
    return {name: mask for name, mask in batch.masks.items() if name == node.name}


def _confirmed(
    workload: Workload,
    candidate: Candidate,
    wrong: Sequence[TensorComparison],
    replay: Replay,
    result: ReplayResult,
    replayer: Replayer,
) -> Explanation:
    by_key = {comparison.key: comparison for comparison in wrong}
    tensors = _wrong_tensors(by_key, result, replayer.dtype)
    key = next(iter(tensors), wrong[0].key)
    name, op = _names(workload, candidate)
    fault = UNKNOWN
    if candidate.what == "optimizer" and tensors:
        fault = fault_of_optimizer(replay, tensors)
    elif tensors:
        kind = "" if candidate.what == "prediction" else op or name
        fault = fault_of_node(
            kind,
            replay,
            tensors[key],
            result.reference,
            by_key[key].reason,
            replayer.reference_values,
        )
    return Explanation(
        candidate.what,
        name,
        op,
        tensor_in_words(key, replay),
        by_key[key].ratio,
        by_key[key].reason,
        fault,
        confirmed=True,
    )


def _wrong_tensors(
    wrong: Mapping[TensorKey, TensorComparison], result: ReplayResult, dtype: str
) -> dict[TensorKey, WrongTensor]:
    """Those that were observed, the most telling first."""
    tensors = {}
    for key in most_telling_first(list(wrong)):
        if key in result.observed:
            observed, reference = result.observed[key], result.reference[key]
            tensors[key] = WrongTensor(key, observed, reference, wrong[key].ratio, dtype)
    return tensors


def _names(workload: Workload, candidate: Candidate) -> tuple[str, str]:
    """(name, kind of op)"""
    if candidate.what == "node":
        return candidate.name, workload.model.node(candidate.name).op.kind
    if candidate.what == "prediction":
        return workload.task.loss.kind, ""
    return candidate.name, ""


def _stale_phase(candidate: Candidate) -> Explanation:
    fault = "stale weights or kept answers (unchanged by the step)"
    return _without_replay(candidate, candidate.name, "", fault)


def _unconfirmed(workload: Workload, candidate: Candidate) -> Explanation:
    name, op = _names(workload, candidate)
    return _without_replay(candidate, name, op, UNKNOWN)


def _without_replay(candidate: Candidate, name: str, op: str, fault: str) -> Explanation:
    comparison = candidate.comparison
    return Explanation(
        candidate.what,
        name,
        op,
        str(comparison.key),
        comparison.ratio,
        comparison.reason,
        fault,
        confirmed=False,
    )


def _by_phase(rows: Sequence[Agreement]) -> Explanation:
    """Node by node all is right: a phase's own function, or a later step,
    computes something else.
    """
    row = next(row for row in rows if row.status is Status.DIFFERS)
    name = _phase_of(row.key)
    return Explanation(
        "phase", name, "", row.tensor, row.ratio, row.reason, UNKNOWN, confirmed=False
    )


def _by_branch(rows: Sequence[Agreement]) -> Explanation:
    """Right on small batches with masks from outside, and wrong where time is taken."""
    row = next(row for row in rows if row.status is Status.DIFFERS)
    where = {TIMED: "right on smaller batches", DRAWN: "right under masks from outside"}
    fault = where[Kind.parse(row.kind).branch]
    name = _phase_of(row.key)
    return Explanation("phase", name, "", row.tensor, row.ratio, row.reason, fault, confirmed=False)


def _phase_of(key: TensorKey) -> Phase:
    """The phase to name: the update for whatever it has changed, the loss for the loss."""
    if key.optimizer and key.phase not in PIECES:
        return Phase.TRAIN_STEP
    if key.phase in PIECES:
        return key.phase
    return Phase.LOSS if key.group is Group.LOSS else key.phase
