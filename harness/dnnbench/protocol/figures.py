"""Figures of a call that noise cannot touch: operators, graph breaks, FLOPs, bytes, sizes."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class FigureKind(StrEnum):
    """How often a figure may be read before it differs."""

    DETERMINISTIC = "deterministic"
    """The same in every process of one version of a framework: compared by equality."""
    COUNTED = "counted"
    """Counted while a call runs, and not quite the same each time: compared by a threshold that the
    base's own processes give.
    """


@dataclass(frozen=True)
class Figure:
    """One figure of one call of a phase; less is better.

        Figure("operators", 42, "operators")
        Figure("peak_bytes", 1.5e6, "B", FigureKind.COUNTED)

    name: letters of a to z, digits and '_', the same for what other backends count alike.
    value: a finite number.  unit: what is counted, `B` for bytes, `FLOP` for operations of
    floating-point arithmetic.
    """

    name: str
    value: float
    unit: str
    kind: FigureKind = FigureKind.DETERMINISTIC

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"Figure: got the name {self.name!r}, expected a to z, digits and '_', "
                "a letter first"
            )
        if not math.isfinite(self.value):
            raise ValueError(f"Figure {self.name}: got {self.value}, expected a finite number")
