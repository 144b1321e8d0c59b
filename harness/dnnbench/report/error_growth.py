"""Where the error of an arm grows: over its allowance, from outputs to weights after many steps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from ..agreement.check import Kind
from ..execution.agreement_rows import AgreementRow
from ..wording import counted
from .quantity import percent

_ORDER = ("outputs", "prediction", "state", "loss", "gradients", "slots", "weights", "infer")
"""In which a training step comes to what is compared, and inference after it."""


@dataclass(frozen=True)
class Growth:
    """The worst error over allowance of one arm at each stage, over all that it was checked on."""

    arm: str
    by_kind: dict[Kind, float]
    """In the order in which training comes to them."""

    @property
    def sentence(self) -> str:
        """Between which stages it grows most."""
        stages = list(self.by_kind.items())
        if len(stages) < 2:
            return ""
        steps = list(pairwise(stages))
        (before, low), (after, high) = max(steps, key=lambda pair: pair[1][1] / pair[0][1])
        if high <= low:
            return ""
        return (
            f"The error of {self.arm} grows most from {stage(before)} ({percent(low)} of the "
            f"allowance) to {stage(after)} ({percent(high)})"
        )


def growths(rows: Iterable[AgreementRow]) -> list[Growth]:
    """Of each arm that was compared, in the order of the rows."""
    worst: dict[str, dict[Kind, float]] = {}
    for row in rows:
        kind = Kind.parse(row.agreement.kind)
        ratio = row.agreement.ratio
        if row.agreement.tensor and not kind.branch and isfinite(ratio) and ratio > 0:
            kinds = worst.setdefault(row.arm, {})
            kinds[kind] = max(kinds.get(kind, 0.0), ratio)
    return [
        Growth(arm, dict(sorted(kinds.items(), key=lambda item: _place(item[0]))))
        for arm, kinds in worst.items()
    ]


def stage(kind: Kind) -> str:
    """What a kind of tensor is called where it stands among others."""
    if kind.step:
        return f"{kind.name} after {counted(kind.step, 'step')}"
    return f"{kind.name}, weights of a file" if kind.given_weights else kind.name


def _place(kind: Kind) -> tuple[int, int]:
    return kind.step, _ORDER.index(kind.name) if kind.name in _ORDER else len(_ORDER)


def kinds_of(every: Sequence[Growth]) -> list[Kind]:
    """All that any arm was compared in, in that order."""
    return sorted({kind for growth in every for kind in growth.by_kind}, key=_place)
