"""dnnbench's verdict and gate beside the peers' rules: the same visits, the same seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from dnnbench.stats.verdict import Verdict

from . import outcomes
from .bounds import Count
from .outcomes import AFTER, IN_TURN, count, lasting
from .trial import Trial

EXTRAS = (0.0, 0.01, 0.02, 0.05, 0.10)
VERDICT, GATE = "dnnbench, verdict", "dnnbench, gate"


@dataclass(frozen=True)
class Beside:
    """A rule, how its sides were visited and for how long, and how often it calls each extra
    work slower.
    """

    rule: str
    order: str
    seconds: float
    slower: dict[float, Count]

    @property
    def errors(self) -> tuple[float, float]:
        """Shares of false alarms between equals, and of slowdowns of 5 % missed."""
        return self.slower[0.0].share, 1 - self.slower[0.05].share

    @property
    def whole(self) -> bool:
        """Whether both errors have trials."""
        return bool(self.slower[0.0].n and self.slower[0.05].n)


def side_by_side(trials: Sequence[Trial], seconds: float) -> list[Beside]:
    """All rules at so many seconds a cell.

    Those that run one side after the other have half of them a side.

    dnnbench stands there twice, with the whole seconds and with half.
    The gate spends its seconds twice where it flags.
    """
    enough = lasting(trials, seconds)
    if not enough:
        return []
    rows = [_verdict(enough, seconds), _gate(enough, seconds)]
    found = outcomes.peered(enough)
    rows += [_peer(found, rule, IN_TURN, seconds) for rule in found["rule"].unique()]
    rows.append(_verdict(lasting(trials, seconds / 2), seconds / 2))
    return rows + [_peer(found, rule, AFTER, seconds / 2) for rule in found["rule"].unique()]


def better_on_both(rows: Sequence[Beside]) -> list[Beside]:
    """Peers with fewer false alarms than dnnbench's verdict in the same seconds,
    and fewer slowdowns of 5 % missed.
    """
    ours = {row.seconds: row for row in rows if row.rule == VERDICT}
    theirs = [row for row in rows if row.rule not in (VERDICT, GATE) and row.seconds in ours]
    return [
        row
        for row in theirs
        if all(a < b for a, b in zip(row.errors, ours[row.seconds].errors, strict=True))
    ]


def _verdict(trials: Sequence[Trial], seconds: float) -> Beside:
    found = outcomes.judged(trials)
    return Beside(VERDICT, IN_TURN, seconds, _counts(found, found["said"] == Verdict.SLOWER))


def _gate(trials: Sequence[Trial], seconds: float) -> Beside:
    found = outcomes.gated(trials)
    return Beside(GATE, IN_TURN, seconds, _counts(found, found["confirmed"]))


def _peer(found, rule: str, order: str, seconds: float) -> Beside:
    part = found[(found["rule"] == rule) & (found["order"] == order)]
    return Beside(rule, order, seconds, _counts(part, part["slower"]))


def _counts(found, slower) -> dict[float, Count]:
    return {extra: count(slower[found["extra"] == extra]) for extra in EXTRAS}
