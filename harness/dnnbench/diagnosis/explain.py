"""The first divergence: which node, loss or optimizer computes something else, in which tensor, and what that smells of."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple, Protocol

import numpy as np

from ..agreement.comparing import Finding
from ..agreement.observing import Tensors, optimizer_by_kind
from ..agreement.status import Status
from ..protocol.batch import Batch
from ..spec.model import Node
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from .candidates import Suspect, suspects
from .known_faults import UNKNOWN, Evidence, smell_of_node, smell_of_optimizer, worst_first
from .replay import Replay, loss_alone, node_alone, optimizer_alone

MOST_REPLAYS = 40
"""Suspects that are replayed before the search is given up."""


class Explanation(NamedTuple):
    """Who computes something else, in which tensor, how far off, and the convention it smells of.

    what: `node`, `loss`, `prediction`, `optimizer`, or `phase` where no part is wrong alone   name: of the node, loss, ...
    op: a node's kind   ratio: error over allowance   confirmed: the part alone, on the reference's inputs, is wrong too
    """

    what: str
    name: str
    op: str
    tensor: str
    ratio: float
    reason: str
    convention: str
    confirmed: bool

    @property
    def sentence(self) -> str:
        """For a reader."""
        kind = f" ({self.op})" if self.op else ""
        alone = "alone too, on the reference's inputs" if self.confirmed else "not when it is replayed alone"
        if self.what == "phase":
            alone = "though every part alone agrees"
        off = f"is {self.ratio:.3g} times the allowance off" if isfinite(self.ratio) else "differs"
        return (
            f"{self.what} '{self.name}'{kind}: {self.tensor} {off}, {alone} "
            f"({self.reason}); smells of: {self.convention}"
        )


class Judged(NamedTuple):
    """A replay's findings, and the contender's and the reference's tensors where they disagree."""

    findings: Sequence[Finding]
    observed: Tensors
    truth: Tensors


class Court(Protocol):
    """Where the contender and the reference are asked: workers, or programs at hand."""

    dtype: str

    def judge(self, replay: Replay) -> Judged:
        """Both compute it; every tensor of both is given for small replays."""

    def walk(self, replay: Replay) -> tuple[Sequence[Finding], "Mapping[str, np.ndarray]"]:
        """Findings of the whole network, and the reference's tensors, which are read as they are wanted."""

    def compute(self, replay: Replay) -> Tensors:
        """The reference's tensors."""


def explain(
    workload: Workload, batches: Sequence[Batch], rows: Sequence[Mapping], seed: int, court: Court
) -> Explanation:
    """Why a check's `rows` for one arm, workload and element type are not all right."""
    weights = initial_weights(workload.model, seed)
    whole = Replay(workload, tuple(batches[:2]), (1,))
    findings, truth = court.walk(whole)
    by_key = {finding.key: finding for finding in findings}
    first: Suspect | None = None
    for count, suspect in enumerate(suspects(workload, by_key, rows)):
        if suspect.what == "phase":
            return _phase(suspect.name, suspect.finding)
        if count == MOST_REPLAYS:
            break
        first = first or suspect
        replay = _replay(workload, suspect, truth, batches, weights)
        judged = court.judge(replay)
        if guilty := [f for f in judged.findings if f.status is Status.DIFFERS and _concerns(suspect, f.key)]:
            return _convicted(workload, suspect, guilty, replay, judged, court)
    return _unconfirmed(workload, first) if first else _by_phase(rows)


def _concerns(suspect: Suspect, key: str) -> bool:
    return re.search(suspect.concerns, key) is not None


def _replay(
    workload: Workload, suspect: Suspect, truth: Mapping[str, np.ndarray], batches: Sequence[Batch], weights: Tensors
) -> Replay:
    """The suspect alone, given what the reference's network gave it."""
    model = workload.model
    if suspect.what in ("loss", "prediction"):
        return loss_alone(workload, truth[f"activations/{model.outputs[0]}"], batches[0].targets)
    if suspect.what == "optimizer":
        gradients = {name: truth[f"gradients/{name}"] for name in model.parameters}
        return optimizer_alone(optimizer_by_kind(workload, suspect.name), weights, gradients, suspect.steps)
    node = model.node(suspect.name)
    moments = [("", batches[0])]
    if suspect.steps:
        moments.append((f"{workload.task.optimizer.kind}@1/then/", batches[1 % len(batches)]))
    fed = [_fed(node, truth, when, batch, weights) for when, batch in moments]
    masks = [{n: m for n, m in batch.masks.items() if n == node.name} for _, batch in moments]
    return node_alone(workload, node, fed, masks, weights, suspect.steps)


def _fed(node: Node, truth: Mapping[str, np.ndarray], when: str, batch: Batch, weights: Tensors) -> Tensors:
    """What a node read in the reference's network."""
    sources = {**weights, **batch.inputs}
    return {name: sources[name] if name in sources else truth[f"{when}activations/{name}"] for name in node.inputs}


def _convicted(
    workload: Workload, suspect: Suspect, guilty: Sequence[Finding], replay: Replay, judged: Judged, court: Court
) -> Explanation:
    by_key = {finding.key: finding for finding in guilty}
    evidence = {
        key: Evidence(key, judged.observed[key], judged.truth[key], by_key[key].ratio, court.dtype)
        for key in worst_first(list(by_key))
        if key in judged.observed
    }
    key = next(iter(evidence), guilty[0].key)
    name, op = _names(workload, suspect)
    convention = UNKNOWN
    if suspect.what == "optimizer" and evidence:
        convention = smell_of_optimizer(replay, evidence)
    elif evidence:
        kind = "" if suspect.what == "prediction" else op or name
        convention = smell_of_node(kind, replay, evidence[key], judged.truth, by_key[key].reason, court.compute)
    finding = by_key[key]
    return Explanation(
        suspect.what, name, op, _in_words(key, replay), finding.ratio, finding.reason, convention, confirmed=True
    )


def _names(workload: Workload, suspect: Suspect) -> tuple[str, str]:
    """(name, kind of op)"""
    if suspect.what == "node":
        return suspect.name, workload.model.node(suspect.name).op.kind
    if suspect.what == "prediction":
        return workload.task.loss.kind, ""
    return suspect.name, ""


def _in_words(key: str, replay: Replay) -> str:
    """`gradients/fc1.bias` -> "the gradient of fc1.bias"; lifts are called by the input that they lift."""
    moment, _, rest = key.partition("/") if "@" in key.partition("/")[0] else ("", "", key)
    group, _, name = rest.removeprefix("then/").partition("/")
    sources = {n.name: n.inputs[0] for n in replay.workload.model.nodes[:-1]}
    sources |= {n.inputs[1]: n.inputs[0] for n in replay.workload.model.nodes[:-1]}
    words = {
        "activations": "its output",
        "outputs": "its output",
        "infer": "its output in inference",
        "state": f"the running statistic {name}",
        "loss": "its value",
        "prediction": "what it predicts",
        "weights": f"the change of {name}",
        "slots": f"the slot {name}",
        "gradients": f"the gradient of its input {sources[name]}" if name in sources else f"the gradient of {name}",
        "cotangents": f"the gradient of its input {sources.get(name, name)}",
    }[group]
    return f"{words} after step {moment.partition('@')[2]}" if moment else words


def _phase(name: str, finding: Finding) -> Explanation:
    convention = "stale weights or kept answers (unchanged by the step)"
    return Explanation("phase", name, "", finding.key, finding.ratio, finding.reason, convention, confirmed=False)


def _unconfirmed(workload: Workload, suspect: Suspect) -> Explanation:
    name, op = _names(workload, suspect)
    finding = suspect.finding
    return Explanation(suspect.what, name, op, finding.key, finding.ratio, finding.reason, UNKNOWN, confirmed=False)


def _by_phase(rows: Sequence[Mapping]) -> Explanation:
    """Node by node all is right: one phase's own function, or a later step, computes something else."""
    row = next(row for row in rows if row["status"] == Status.DIFFERS)
    first = row["tensor"].partition("/")[0]
    phases = {"outputs": "gradients", "state": "gradients", "prediction": "infer"}
    name = "train_step" if "@" in first else phases.get(first, first)
    return Explanation("phase", name, "", row["tensor"], row["ratio"], row["reason"], UNKNOWN, confirmed=False)
