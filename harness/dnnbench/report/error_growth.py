"""Where the error of an arm grows: over its allowance, from outputs to weights after many steps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from ..agreement.check import Kind
from ..execution.agreement_rows import AgreementRow
from .quantity import percent
from .words import counted


@dataclass(frozen=True)
class Growth:
    """The worst error over allowance of one arm at each stage, over all that it was checked on."""

    arm: str
    by_stage: dict[str, float]
    """In the order in which a training step comes to them."""

    @property
    def sentence(self) -> str:
        """Between which stages it grows most."""
        stages = list(self.by_stage.items())
        if len(stages) < 2:
            return ""
        steps = list(pairwise(stages))
        (before, low), (after, high) = max(steps, key=lambda pair: pair[1][1] / pair[0][1])
        if high <= low:
            return ""
        return (
            f"The error of {self.arm} grows most from {before} ({percent(low)} of the allowance) "
            f"to {after} ({percent(high)})"
        )


def growths(rows: Iterable[AgreementRow]) -> list[Growth]:
    """Of each arm that was compared, in the order of the rows."""
    worst: dict[str, dict[str, float]] = {}
    for row in rows:
        kind = Kind.parse(row.agreement.kind)
        ratio = row.agreement.ratio
        if row.agreement.tensor and not kind.branch and isfinite(ratio) and ratio > 0:
            stages = worst.setdefault(row.arm, {})
            stages[stage(kind)] = max(stages.get(stage(kind), 0.0), ratio)
    return [Growth(arm, _ordered(stages)) for arm, stages in worst.items()]


def stage(kind: Kind) -> str:
    """What a kind of tensor is called where it stands among others."""
    if kind.step:
        return f"{kind.name} after {counted(kind.step, 'step')}"
    return f"{kind.name}, weights of a file" if kind.given_weights else kind.name


_FIRST = ("outputs", "prediction", "state", "loss", "gradients")
"""What a step computes, in its order, before anything is updated."""


def _ordered(stages: dict[str, float]) -> dict[str, float]:
    """What the first step computes, then what each step leaves, as they were checked."""
    return dict(sorted(stages.items(), key=lambda item: _place(item[0])))


def _place(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def stages_of(every: Sequence[Growth]) -> list[str]:
    """All stages that any arm has."""
    names = dict.fromkeys(name for growth in every for name in growth.by_stage)
    return sorted(names, key=_place)
