"""All that is counted from the recordings, computed once when first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .judging import keeping_all
from .kinds import MANY, QUIET
from .noise import NOISES
from .outcomes import SECONDS, gated, judged, lasting
from .side_by_side import Beside, side_by_side
from .trial import Trial

if TYPE_CHECKING:
    import pandas as pd

BESIDE_SECONDS = (10, 60)
SIXTY = "60 s (60 generations)"
ELSEWHERE = (*NOISES, "torch", "torch_fresh", "torch_fresh_in_a_run", "jax")
"""Kinds that are shown apart: under noise, and with other frameworks' steps."""


@dataclass(frozen=True)
class Findings:
    """Frames of `outcomes` on some trials."""

    trials: Sequence[Trial]

    @cached_property
    def quiet(self) -> list[Trial]:
        """Trials that the counts come from."""
        return [trial for trial in self.trials if trial.kind in QUIET]

    @cached_property
    def many(self) -> list[Trial]:
        """Trials of sixty generations."""
        return [trial for trial in self.trials if trial.kind == MANY]

    @cached_property
    def verdicts(self) -> "dict[float | str, pd.DataFrame]":
        """Verdicts on the prefixes of so many seconds a cell in six generations, and on sixty."""
        return {seconds: judged(lasting(self.quiet, seconds)) for seconds in SECONDS} | {SIXTY: judged(self.many)}

    @cached_property
    def gates(self) -> "dict[float | str, pd.DataFrame]":
        """The gate on the same, so many seconds in each stage."""
        return {seconds: gated(lasting(self.quiet, seconds)) for seconds in SECONDS} | {SIXTY: gated(self.many)}

    @cached_property
    def by_machine(self) -> dict[str, list[Trial]]:
        """The longest recordings, in six generations and in sixty, of each machine."""
        found: dict[str, list[Trial]] = {}
        for trial in (*lasting(self.quiet, max(SECONDS)), *self.many):
            found.setdefault(f"{trial.kind}, {trial.facts['machine']}", []).append(trial)
        return found

    @cached_property
    def whole(self) -> "pd.DataFrame":
        """Verdicts on whole recordings."""
        return judged(self.quiet)

    @cached_property
    def whole_gates(self) -> "pd.DataFrame":
        """The gate on whole recordings."""
        return gated(self.quiet)

    @cached_property
    def elsewhere(self) -> "dict[str, pd.DataFrame]":
        """Verdicts of the kinds that are shown apart."""
        return {kind: judged([t for t in self.trials if t.kind == kind]) for kind in ELSEWHERE}

    @cached_property
    def kept_elsewhere(self) -> "dict[str, pd.DataFrame]":
        """Verdicts on the same, had no contended round been left out."""
        return {kind: judged([t for t in self.trials if t.kind == kind], keeping_all) for kind in ELSEWHERE}

    @cached_property
    def gates_elsewhere(self) -> "dict[str, pd.DataFrame]":
        """The gate on the same."""
        return {kind: gated([t for t in self.trials if t.kind == kind]) for kind in ELSEWHERE}

    @cached_property
    def beside(self) -> list[Beside]:
        """The peers' rules."""
        return [row for seconds in BESIDE_SECONDS for row in side_by_side(self.quiet, seconds)]
