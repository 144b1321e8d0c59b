"""Who may have caused a disagreement, the likeliest first: what was right when it went in and wrong when it came out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..agreement.comparing import Finding
from ..agreement.status import Status
from ..spec.model import Model, Node
from ..spec.workload import Workload

Findings = Mapping[str, Finding]


class Suspect(NamedTuple):
    """A node, the loss, how it predicts, or an optimizer; `concerns` is a pattern of the keys that would convict it alone."""

    what: str
    name: str
    finding: Finding
    concerns: str
    steps: tuple[int, ...] = ()
    """Training steps that its replay needs."""


def suspects(workload: Workload, findings: Findings, rows: Sequence[Mapping]) -> Iterator[Suspect]:
    """From the findings of `judge_nodes`, and from the check's own rows for optimizers, whose trajectories it alone has.

    Values in topological order, running statistics, values in inference, the loss, cotangents in reverse, the
    prediction, optimizers, and last whatever was right at first and went wrong after a step.
    """
    model = workload.model
    yield from _forward(model, findings, "", r"^(activations|outputs)/", ())
    yield from _statistics(model, findings, "", r"^state/", ())
    yield from _inference(model, findings)
    yield from _loss(workload, findings)
    yield from _backward(model, findings, "", r"^(cotangents|gradients)/", ())
    yield from _optimizers(rows)
    yield from _after_a_step(workload, findings)


def wrong(findings: Findings, *keys: str) -> Finding | None:
    """The first of these that does not agree."""
    return next((f for key in keys if (f := findings.get(key)) and f.status is Status.DIFFERS), None)


def _forward(model: Model, findings: Findings, when: str, concerns: str, steps: tuple[int, ...]) -> Iterator[Suspect]:
    bad = {n.name: f for n in model.nodes if (f := wrong(findings, *_value_keys(when, n.name)))}
    for node in _boundary_first(model, bad):
        yield Suspect("node", node.name, bad[node.name], concerns, steps)


def _value_keys(when: str, name: str) -> tuple[str, str]:
    return f"{when}activations/{name}", f"{when}outputs/{name}"


def _boundary_first(model: Model, bad: Mapping[str, Finding]) -> list[Node]:
    """Bad nodes in topological order, those before all others whose inputs are right."""
    found = [node for node in model.nodes if node.name in bad]
    return sorted(found, key=lambda node: any(name in bad for name in node.inputs))


def _statistics(
    model: Model, findings: Findings, when: str, concerns: str, steps: tuple[int, ...]
) -> Iterator[Suspect]:
    for node in model.nodes:
        if finding := wrong(findings, *(f"{when}state/{name}" for name in model.roles(node)[1].values())):
            yield Suspect("node", node.name, finding, concerns, steps)


def _inference(model: Model, findings: Findings) -> Iterator[Suspect]:
    bad = {n.name: f for n in model.nodes if (f := wrong(findings, f"infer/{n.name}"))}
    for node in _boundary_first(model, bad):
        yield Suspect("node", node.name, bad[node.name], r"^infer/")
    if not bad and (finding := wrong(findings, "prediction")):
        yield Suspect("prediction", "", finding, r"^prediction")


def _loss(workload: Workload, findings: Findings) -> Iterator[Suspect]:
    if finding := wrong(findings, "loss", f"cotangents/{workload.model.outputs[0]}"):
        yield Suspect("loss", workload.task.loss.kind, finding, r"^(loss$|cotangents/|gradients/)")


def _backward(model: Model, findings: Findings, when: str, concerns: str, steps: tuple[int, ...]) -> Iterator[Suspect]:
    """Nodes that handed a wrong gradient down, the last first, and before all others those that were given a right one."""
    blamed = []
    for node in reversed(model.nodes):
        given = wrong(findings, f"{when}cotangents/{node.name}")
        made = [f"{when}gradients/{name}" for name in model.roles(node)[0].values()]
        made += [f"{when}{kind}/{name}" for name in node.inputs for kind in ("cotangents", "gradients")]
        if finding := wrong(findings, *made):
            blamed.append((given is not None, Suspect("node", node.name, finding, concerns, steps)))
    yield from (suspect for _, suspect in sorted(blamed, key=lambda pair: pair[0]))


def _optimizers(rows: Sequence[Mapping]) -> Iterator[Suspect]:
    """Each optimizer whose weights or slots the check found wrong, in the check's order."""
    met = set()
    for row in rows:
        if (
            row["status"] == Status.DIFFERS
            and re.match(r"(weights|slots)@", row["kind"])
            and row["optimizer"] not in met
        ):
            met.add(row["optimizer"])
            finding = Finding(row["tensor"], row["ratio"], row["reason"])
            yield Suspect("optimizer", row["optimizer"], finding, r"/(weights|slots)/", (1, 2, 5))


def _after_a_step(workload: Workload, findings: Findings) -> Iterator[Suspect]:
    model, before = workload.model, f"{workload.task.optimizer.kind}@1/"
    then, concerns, steps = f"{before}then/", r"@.*/(then|state|infer)/", (1,)
    inferred = {n.name: f for n in model.nodes if (f := wrong(findings, f"{before}infer/{n.name}"))}
    trained = {n.name for n in model.nodes if wrong(findings, *_value_keys(then, n.name))}
    yield from _forward(model, findings, then, concerns, steps)
    yield from _statistics(model, findings, before, concerns, steps)
    if model.outputs[0] in inferred and not trained and "before the steps" in inferred[model.outputs[0]].reason:
        yield Suspect("phase", "infer", inferred[model.outputs[0]], "")
    for node in _boundary_first(model, inferred):
        yield Suspect("node", node.name, inferred[node.name], concerns, steps)
    yield from _backward(model, findings, then, concerns, steps)
