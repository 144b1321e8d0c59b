"""Which part may have caused a divergence, the likeliest first: right inputs, wrong outputs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..agreement.check import Agreement
from ..agreement.comparison import TensorComparison
from ..agreement.keys import Group, TensorKey
from ..agreement.nodes import REPEATED
from ..agreement.status import Status
from ..spec.model import Model, Node
from ..spec.phases import Phase
from ..spec.workload import Workload

Comparisons = Mapping[TensorKey, TensorComparison]
Moment = tuple[str, int]
"""(optimizer, step) after which the network is looked at."""
START: Moment = ("", 0)


@dataclass(frozen=True)
class Candidate:
    """A node, the loss, how it predicts, or an optimizer.

    concerns: whether a key's tensor, wrong in the replay of the part alone, confirms it
    steps: training steps that its replay needs
    """

    what: str
    name: str
    comparison: TensorComparison
    concerns: Callable[[TensorKey], bool]
    steps: tuple[int, ...] = ()


def candidates(
    workload: Workload, comparisons: Comparisons, rows: Sequence[Agreement]
) -> Iterator[Candidate]:
    """From comparisons of every node, and of optimizers from the check's rows,
    which alone have them.

    Values in topological order, running statistics, values in inference, the loss, cotangents in
    reverse, the prediction, optimizers, and last whatever was right at first and went wrong after a
    step.
    """
    model = workload.model
    yield from _forward(model, comparisons, START, _is_value, ())
    yield from _statistics(model, comparisons, START, _is_statistic, ())
    yield from _inference(model, comparisons)
    yield from _loss(workload, comparisons)
    yield from _backward(model, comparisons, START, _is_backward, ())
    yield from _optimizers(rows)
    yield from _after_a_step(workload, comparisons)


def first_wrong(comparisons: Comparisons, *keys: TensorKey) -> TensorComparison | None:
    """The first of these that does not agree."""
    for key in keys:
        comparison = comparisons.get(key)
        if comparison is not None and comparison.status is Status.DIFFERS:
            return comparison
    return None


def value_keys(name: str, moment: Moment = START) -> tuple[TensorKey, TensorKey]:
    """A node's value in training mode, under both names that it has."""
    groups = (Group.ACTIVATIONS, Group.OUTPUTS)
    activation, output = (TensorKey(group, name).after(*moment) for group in groups)
    return activation, output


def _is_value(key: TensorKey) -> bool:
    in_training = key.phase is Phase.GRADIENTS and not key.optimizer
    return in_training and key.group in (Group.ACTIVATIONS, Group.OUTPUTS)


def _is_statistic(key: TensorKey) -> bool:
    return key.group is Group.STATE and not key.optimizer


def _is_inferred(key: TensorKey) -> bool:
    return key.phase is Phase.INFER and key.group is Group.OUTPUTS and not key.optimizer


def _is_prediction(key: TensorKey) -> bool:
    return key.group is Group.PREDICTION


def _is_backward(key: TensorKey) -> bool:
    return key.group in (Group.COTANGENTS, Group.GRADIENTS) and not key.optimizer


def _is_of_loss(key: TensorKey) -> bool:
    return _is_backward(key) or (key.group is Group.LOSS and not key.optimizer)


def _is_of_optimizer(key: TensorKey) -> bool:
    return key.phase is Phase.TRAIN_STEP and key.group in (Group.WEIGHTS, Group.SLOTS)


def _is_of_updated_network(key: TensorKey) -> bool:
    return bool(key.optimizer) and not _is_of_optimizer(key)


def _forward(
    model: Model,
    comparisons: Comparisons,
    moment: Moment,
    concerns: Callable[[TensorKey], bool],
    steps: tuple[int, ...],
) -> Iterator[Candidate]:
    wrong: dict[str, TensorComparison] = {}
    for node in model.nodes:
        if comparison := first_wrong(comparisons, *value_keys(node.name, moment)):
            wrong[node.name] = comparison
    for node in _boundary_first(model, wrong):
        yield Candidate("node", node.name, wrong[node.name], concerns, steps)


def _boundary_first(model: Model, wrong: Mapping[str, TensorComparison]) -> list[Node]:
    """Wrong nodes in topological order, those before all others whose inputs are right."""
    nodes = [node for node in model.nodes if node.name in wrong]
    return sorted(nodes, key=lambda node: any(name in wrong for name in node.inputs))


def _statistics(
    model: Model,
    comparisons: Comparisons,
    moment: Moment,
    concerns: Callable[[TensorKey], bool],
    steps: tuple[int, ...],
) -> Iterator[Candidate]:
    phase = Phase.TRAIN_STEP if moment != START else Phase.GRADIENTS
    for node in model.nodes:
        names = model.roles(node)[1].values()
        keys = [TensorKey(Group.STATE, name, phase, *moment) for name in names]
        if comparison := first_wrong(comparisons, *keys):
            yield Candidate("node", node.name, comparison, concerns, steps)


def _inferred_wrong(
    model: Model, comparisons: Comparisons, moment: Moment = START
) -> dict[str, TensorComparison]:
    """Nodes whose value in inference is wrong."""
    wrong: dict[str, TensorComparison] = {}
    for node in model.nodes:
        key = TensorKey(Group.OUTPUTS, node.name, Phase.INFER, *moment)
        if comparison := first_wrong(comparisons, key):
            wrong[node.name] = comparison
    return wrong


def _inference(model: Model, comparisons: Comparisons) -> Iterator[Candidate]:
    wrong = _inferred_wrong(model, comparisons)
    for node in _boundary_first(model, wrong):
        yield Candidate("node", node.name, wrong[node.name], _is_inferred)
    prediction = TensorKey(Group.PREDICTION, phase=Phase.INFER)
    if not wrong and (comparison := first_wrong(comparisons, prediction)):
        yield Candidate("prediction", "", comparison, _is_prediction)


def _loss(workload: Workload, comparisons: Comparisons) -> Iterator[Candidate]:
    seed = TensorKey(Group.COTANGENTS, workload.model.outputs[0])
    if comparison := first_wrong(comparisons, TensorKey(Group.LOSS), seed):
        yield Candidate("loss", workload.task.loss.kind, comparison, _is_of_loss)


def _backward(
    model: Model,
    comparisons: Comparisons,
    moment: Moment,
    concerns: Callable[[TensorKey], bool],
    steps: tuple[int, ...],
) -> Iterator[Candidate]:
    """Nodes that pass a wrong gradient on, the last first, before all others those that got
    a right one.
    """
    received_right: list[Candidate] = []
    received_wrong: list[Candidate] = []
    for node in reversed(model.nodes):
        comparison = first_wrong(comparisons, *_gradients_made(model, node, moment))
        if comparison is None:
            continue
        candidate = Candidate("node", node.name, comparison, concerns, steps)
        received = TensorKey(Group.COTANGENTS, node.name).after(*moment)
        right = first_wrong(comparisons, received) is None
        (received_right if right else received_wrong).append(candidate)
    yield from (*received_right, *received_wrong)


def _gradients_made(model: Model, node: Node, moment: Moment) -> list[TensorKey]:
    """What the node computes on the way back: gradients of its parameters, then of its inputs."""
    keys = [TensorKey(Group.GRADIENTS, name) for name in model.roles(node)[0].values()]
    for name in node.inputs:
        keys += [TensorKey(Group.COTANGENTS, name), TensorKey(Group.GRADIENTS, name)]
    return [key.after(*moment) for key in keys]


def _optimizers(rows: Sequence[Agreement]) -> Iterator[Candidate]:
    """Each optimizer whose weights or slots the check found wrong, in the check's order."""
    first: dict[str, Agreement] = {}
    last: dict[str, int] = {}
    for row in rows:
        if row.status is Status.DIFFERS and _is_of_optimizer(row.key):
            kind = row.key.optimizer
            first.setdefault(kind, row)
            last[kind] = max(row.key.step, last.get(kind, 0))
    for kind, row in first.items():
        comparison = TensorComparison(row.key, row.ratio, row.reason)
        steps = tuple(sorted({*OPTIMIZER_STEPS, last[kind]}))
        yield Candidate("optimizer", kind, comparison, _is_of_optimizer, steps)


OPTIMIZER_STEPS = (1, 2, 5)
"""After which an optimizer that is replayed alone is looked at, and after the check's last."""


def after_more_steps(workload: Workload, rows: Sequence[Agreement]) -> Iterator[Candidate]:
    """Nodes whose running statistics the check found wrong after steps: they may be right after
    one, and another batch's after two.
    """
    model = workload.model
    for row in rows:
        if row.status is Status.DIFFERS and row.key.group is Group.STATE and row.key.optimizer:
            comparison = TensorComparison(row.key, row.ratio, row.reason)
            for node in model.nodes:
                if model.roles(node)[1]:
                    yield Candidate(
                        "node", node.name, comparison, _is_statistic_after_a_step, (1, 2)
                    )
            return


def _is_statistic_after_a_step(key: TensorKey) -> bool:
    return key.group is Group.STATE and key.phase is Phase.TRAIN_STEP


def _after_a_step(workload: Workload, comparisons: Comparisons) -> Iterator[Candidate]:
    model, concerns, steps = workload.model, _is_of_updated_network, (1,)
    moment = workload.task.optimizer.kind, 1
    yield from _forward(model, comparisons, moment, concerns, steps)
    yield from _statistics(model, comparisons, moment, concerns, steps)
    inferred = _inferred_wrong(model, comparisons, moment)
    output = inferred.get(model.outputs[0])
    repeated = output is not None and REPEATED in output.reason
    if output and repeated and not _trains_wrong(model, comparisons, moment):
        yield Candidate("phase", "infer", output, lambda key: False)
    for node in _boundary_first(model, inferred):
        yield Candidate("node", node.name, inferred[node.name], concerns, steps)
    yield from _backward(model, comparisons, moment, concerns, steps)


def _trains_wrong(model: Model, comparisons: Comparisons, moment: Moment) -> bool:
    """Whether a node's value in training mode is wrong."""
    return any(first_wrong(comparisons, *value_keys(node.name, moment)) for node in model.nodes)
