"""What a random op did, read from its input and its output: which elements it kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..spec.model import Model, Node
from ..spec.ops.dropout import Thinning
from ..spec.workload import Workload
from .deviation import largest, most

MOST_ALARMS = 1e-9
"""How often honest draws may be called wrong."""
ROUNDING = 4
"""A kept value x / (1 - rate) may be so many u off."""


@dataclass(frozen=True)
class Draw:
    """One draw of one random node.

    mask: (N, ...) of 0 and 1, as a batch brings it; 1 where x is 0 throughout, which tells nothing
    seen: where x tells
    off: largest error of a value, over what rounding allows
    """

    rate: float
    mask: np.ndarray
    seen: np.ndarray
    off: float


def random_nodes(model: Model) -> list[Node]:
    """Nodes that thin anything."""
    return [node for node in model.nodes if isinstance(node.op, Thinning) and node.op.rate > 0]


def readable(workload: Workload) -> Workload:
    """The workload with what its random nodes read and give among its outputs."""
    model = workload.model
    names = {node.name for node in model.nodes}
    shown = [name for node in random_nodes(model) for name in (node.inputs[0], node.name)]
    outputs = dict.fromkeys([*model.outputs, *(name for name in shown if name in names)])
    parts = {"inputs": model.inputs, "constants": model.constants, "nodes": model.nodes}
    shown_model = Model(name=model.name, outputs=tuple(outputs), **parts)
    return workload.model_copy(update={"model": shown_model})


def read_draws(model: Model, values: Mapping[str, np.ndarray], unit: float) -> dict[str, Draw]:
    """What each random node drew, by its name; values: of nodes and inputs, by name."""
    return {
        node.name: _read(node, values[node.inputs[0]], values[node.name], unit)
        for node in random_nodes(model)
        if node.inputs[0] in values
    }


def _read(node: Node, x: np.ndarray, y: np.ndarray, unit: float) -> Draw:
    rate, op = float(node.op.rate), node.op  # type: ignore[union-attr]
    x, y = x.astype(np.float64), y.astype(np.float64)
    by_example = op.kind == "stochastic_depth"
    axes = tuple(range(1, x.ndim)) if by_example else ()
    seen, kept = np.any(x != 0, axis=axes), np.any(y != 0, axis=axes)
    mask = np.where(seen, kept, True)
    stretched = mask.reshape(len(mask), *(1,) * (x.ndim - 1)) if by_example else mask
    wanted = x * stretched / (1 - rate)
    allowed = ROUNDING * unit * largest(wanted, np.zeros_like(wanted))
    off = _over(largest(y, wanted), allowed)
    return Draw(rate, mask.astype(np.float32), seen, off)


def _over(error: float, allowed: float) -> float:
    """Where everything was dropped nothing but 0 is allowed."""
    if error == 0:
        return 0.0
    return error / allowed if allowed else float("inf")


def share_off(draws: list[Draw], tests: int) -> tuple[float, float, int]:
    """(how unlikely the kept share is, over what is allowed; the share; elements that tell).

    Of N independent elements with mean probability q of being kept, a share of a or farther off
    has a probability of at most exp(-N KL(a, q)) on either side (Hoeffding 1963, theorem 1).
    tests: of how many such shares none may alarm in more than MOST_ALARMS of honest networks.
    """
    counts = np.array([draw.seen.sum() for draw in draws])
    count = int(counts.sum())
    if not count:
        return 0.0, float("nan"), 0
    kept = sum(float(draw.mask[draw.seen].sum()) for draw in draws)
    q = float(np.dot(counts, [1 - draw.rate for draw in draws])) / count
    share = kept / count
    return count * _divergence(share, q) / np.log(2 * tests / MOST_ALARMS), share, count


def _divergence(a: float, q: float) -> float:
    """KL(a, q) of two coins, in nats."""
    parts = [(a, q), (1 - a, 1 - q)]
    return float(sum(p * np.log(p / r) for p, r in parts if p > 0))


def repeated(one: Draw, other: Draw, tests: int = 1) -> bool:
    """Whether two draws are the same though chance would hardly make them so.

    tests: of how many such pairs none may alarm in more than MOST_ALARMS of honest networks
    """
    both = one.seen & other.seen
    same = bool(np.all(one.mask[both] == other.mask[both]))
    return same and both.sum() * np.log(_alike(one, other)) < np.log(MOST_ALARMS / tests)


def _alike(one: Draw, other: Draw) -> float:
    """How often two independent elements agree: both kept, or both dropped."""
    return (1 - one.rate) * (1 - other.rate) + one.rate * other.rate


def halves(draw: Draw) -> tuple[Draw, Draw]:
    """Rows 0, 2, 4, ... and rows 1, 3, 5, ..., as draws of their own."""
    count = len(draw.mask) // 2
    even, odd = (
        replace(draw, mask=draw.mask[first::2][:count], seen=draw.seen[first::2][:count])
        for first in (0, 1)
    )
    return even, odd


def agreement_off(pairs: Iterable[tuple[Draw, Draw]], tests: int) -> tuple[float, float, int]:
    """(how unlikely it is that elements agree so often, over what is allowed; the share that does;
    pairs of elements that tell), of pairs of draws that should know nothing of each other.

    By the bound of `share_off`, on one side: draws that agree too seldom are not looked for.
    """
    count, agreeing, expected = 0, 0.0, 0.0
    for one, other in pairs:
        both = one.seen & other.seen
        count += int(both.sum())
        agreeing += float((one.mask[both] == other.mask[both]).sum())
        expected += float(both.sum()) * _alike(one, other)
    if not count:
        return 0.0, float("nan"), 0
    share, q = agreeing / count, expected / count
    unlikely = count * _divergence(share, q) if share > q else 0.0
    return unlikely / np.log(tests / MOST_ALARMS), share, count


def worst_off(draws: list[Draw]) -> float:
    """The largest error of a value, over what rounding allows."""
    return most(0.0, *(draw.off for draw in draws))
