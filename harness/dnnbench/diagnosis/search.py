"""The search for the part that is wrong alone: candidates are replayed one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ..agreement.check import Agreement
from ..agreement.comparison import TensorComparison
from ..agreement.keys import Group, TensorKey, gradient_of
from ..agreement.observing import optimizer_by_kind
from ..agreement.replay import Replay
from ..agreement.status import Status
from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..spec.model import Node
from ..spec.phases import Phase
from ..spec.workload import Workload
from .candidates import START, Candidate, Moment, after_more_steps, candidates
from .explanation import Explanation, tensor_in_words
from .known_faults import UNKNOWN, fault_of_node, fault_of_optimizer, most_telling_first
from .replay import loss_alone, node_alone, norm_of, optimizer_alone
from .replayer import Replayer, ReplayResult
from .wrong_tensor import WrongTensor, room_of

AT_RANDOM = "at random: not the same in every pass"
LATER_STEPS = (1, 2)
MOST_REPLAYS = 40
"""Candidates that are replayed before the search is given up."""


class Search:
    """One arm, workload and element type: what a check said of it, and where it is replayed.

    built_from: as of a Replay
    first: the likeliest candidate, met first
    """

    def __init__(
        self,
        workload: Workload,
        batches: Sequence[Batch],
        rows: Sequence[Agreement],
        weights: Mapping[str, np.ndarray],
        replayer: Replayer,
        built_from: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> None:
        self._workload, self._batches, self._rows = workload, list(batches), rows
        self._weights, self._built_from, self._replayer = weights, built_from, replayer
        self.first: Candidate | None = None
        self._replays = 0

    def run(self) -> Explanation | Candidate | None:
        """The part that is wrong alone; a candidate that is a phase; None where neither is met.

        The first batch and a step come first. Then other batches, in which an id or a tie is met
        that the first ones do not have, and statistics after a second step.
        """
        batches = tuple(self._batches[:2])
        whole = Replay(self._workload, batches, (1,), self._weights, self._built_from)
        comparisons, reference = self._replayer.compare_network(whole)
        met = self._confirm(candidates(self._workload, _by_key(comparisons), self._rows), reference)
        return met or self._in_other_batches()

    def of_ties(self, row: Agreement) -> Explanation:
        """Of a prediction that is wrong where all logits are 0."""
        comparison = TensorComparison(row.key, row.ratio, row.reason)
        tied = Candidate("prediction", "", comparison, lambda key: key.group is Group.PREDICTION)
        batch, shape = self._batches[0], self._workload.model.types[self._output].shape
        logits = np.zeros((batch.size, *shape), np.float32)
        replay = loss_alone(self._workload, logits, batch.targets)
        result = self._replayer.compare(replay)
        if wrong := _confirming(tied, result.comparisons):
            return self._confirmed(tied, wrong, replay, result)
        return without_replay(self._workload, tied, UNKNOWN)

    def later_steps(self) -> TensorComparison | None:
        """The first weight that two steps of a program leave wrong, which is asked for nothing
        before them: it has loaded nothing behind a step, and restored nothing.
        """
        steps = Replay(self._workload, tuple(self._batches[:2]), LATER_STEPS, self._weights)
        comparisons, _ = self._replayer.compare_network(steps)
        differing = [c for c in comparisons if c.status is Status.DIFFERS]
        return next((c for c in differing if c.key.group is Group.WEIGHTS), None)

    @property
    def _output(self) -> str:
        return self._workload.model.outputs[0]

    def _in_other_batches(self) -> Explanation | Candidate | None:
        for _ in self._batches[1:]:
            self._batches = [*self._batches[1:], self._batches[0]]
            alone = Replay(self._workload, tuple(self._batches[:1]), (), self._weights)
            comparisons, reference = self._replayer.compare_network(alone)
            of_batch = candidates(self._workload, _by_key(comparisons), ())
            if met := self._confirm(of_batch, reference):
                return met
        wrong_later = list(after_more_steps(self._workload, self._rows))
        if not wrong_later:
            return None
        self._batches = [*self._batches[1:], self._batches[0]]
        both = [Replay(self._workload, (b,), (), self._weights) for b in self._batches[:2]]
        first, second = (self._replayer.compare_network(replay)[1] for replay in both)
        return self._confirm(iter(wrong_later), first, second)

    def _confirm(
        self,
        wanted: Iterator[Candidate],
        reference: Mapping[TensorKey, np.ndarray],
        of_second: Mapping[TensorKey, np.ndarray] | None = None,
    ) -> Explanation | Candidate | None:
        """The first candidate that is wrong alone, or is a phase.

        of_second: the reference's tensors of the second batch at the start, for two steps
        """
        for candidate in wanted:
            if candidate.what == "phase":
                return candidate
            if self._replays == MOST_REPLAYS:
                return None
            self._replays += 1
            self.first = self.first or candidate
            replay = self._replay(candidate, reference, of_second)
            result = self._replayer.compare(replay)
            if wrong := _confirming(candidate, result.comparisons):
                if not _confirming(candidate, self._replayer.compare(replay).comparisons):
                    return without_replay(self._workload, candidate, AT_RANDOM)
                return self._confirmed(candidate, wrong, replay, result)
        return None

    def _replay(
        self,
        candidate: Candidate,
        reference: Mapping[TensorKey, np.ndarray],
        of_second: Mapping[TensorKey, np.ndarray] | None,
    ) -> Replay:
        """The candidate alone, on what it reads in the reference's network."""
        model, weights, batches = self._workload.model, self._weights, self._batches
        if candidate.what in ("loss", "prediction"):
            logits = reference[TensorKey(Group.ACTIVATIONS, self._output)]
            return loss_alone(self._workload, logits, batches[0].targets)
        if candidate.what == "optimizer":
            gradients = {name: reference[gradient_of(name)] for name in model.parameters}
            optimizer = optimizer_by_kind(self._workload, candidate.name, norm_of(gradients))
            return optimizer_alone(optimizer, weights, gradients, candidate.steps, self._built_from)
        node = model.node(candidate.name)
        read = [_inputs(node, reference, START, batches[0], weights)]
        used = [batches[0]]
        if candidate.steps:
            used.append(batches[1 % len(batches)])
            moment = (self._workload.task.optimizer.kind, 1)
            second = (reference, moment) if of_second is None else (of_second, START)
            read.append(_inputs(node, *second, used[1], weights))
        masks = [_masks(node, batch) for batch in used]
        alone = node_alone(self._workload, node, read, masks, weights, candidate.steps)
        return replace(alone, built_from=self._built_from)

    def _confirmed(
        self,
        candidate: Candidate,
        wrong: Sequence[TensorComparison],
        replay: Replay,
        result: ReplayResult,
    ) -> Explanation:
        by_key = _by_key(wrong)
        tensors = self._wrong_tensors(by_key, result, replay)
        key = next(iter(tensors), wrong[0].key)
        name, op = names_of(self._workload, candidate)
        what, fault = candidate.what, UNKNOWN
        if what == "optimizer" and tensors:
            right = self._right_tensors(result, replay)
            of_step = fault_of_optimizer(replay, tensors, right)
            fault = of_step.words
            if of_step.phase is not None:
                what, name = "phase", str(of_step.phase)
        elif tensors:
            kind = what if what == "prediction" else op or name
            values, reason = result.reference.tensors, by_key[key].reason
            compute = self._replayer.reference_values
            fault = fault_of_node(kind, replay, tensors[key], values, reason, compute)
        return Explanation(
            what,
            name,
            op,
            tensor_in_words(key, replay),
            by_key[key].ratio,
            by_key[key].reason,
            fault,
            confirmed=True,
        )

    def _right_tensors(self, result: ReplayResult, replay: Replay) -> dict[TensorKey, WrongTensor]:
        """What steps leave and is right."""
        dtype, tensors = self._replayer.dtype, result.reference.tensors
        right = {}
        for comparison in result.comparisons:
            key = comparison.key
            if comparison.status is Status.AGREES and key.phase is Phase.TRAIN_STEP:
                room = room_of(key, replay, result.reference, dtype)
                right[key] = WrongTensor(key, tensors[key], tensors[key], room, dtype)
        return right

    def _wrong_tensors(
        self, wrong: Mapping[TensorKey, TensorComparison], result: ReplayResult, replay: Replay
    ) -> dict[TensorKey, WrongTensor]:
        """Those that were observed, the most telling first."""
        dtype, single = self._replayer.dtype, DType.FLOAT32
        exact = dtype == DType.FLOAT64
        in_single = self._replayer.reference_in(replay, single) if exact else None
        tensors = {}
        for key in most_telling_first(list(wrong)):
            if key in result.observed:
                observed, reference = result.observed[key], result.reference.tensors[key]
                room = room_of(key, replay, result.reference, dtype)
                wide = room_of(key, replay, in_single, single) if in_single else room
                tensors[key] = WrongTensor(key, observed, reference, room, dtype, wide)
        return tensors


def without_replay(workload: Workload, candidate: Candidate, fault: str) -> Explanation:
    """By what was seen of a candidate in its network."""
    name, op = names_of(workload, candidate)
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


def _by_key(comparisons: Sequence[TensorComparison]) -> dict[TensorKey, TensorComparison]:
    return {comparison.key: comparison for comparison in comparisons}


def _confirming(
    candidate: Candidate, comparisons: Sequence[TensorComparison]
) -> list[TensorComparison]:
    """Wrong tensors of the part alone that say it is this part."""
    differing = [comparison for comparison in comparisons if comparison.status is Status.DIFFERS]
    return [comparison for comparison in differing if candidate.concerns(comparison.key)]


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


def names_of(workload: Workload, candidate: Candidate) -> tuple[str, str]:
    """(name, kind of op)"""
    if candidate.what == "node":
        return candidate.name, workload.model.node(candidate.name).op.kind
    if candidate.what == "prediction":
        return workload.task.loss.kind, ""
    return candidate.name, ""
