"""All that is counted from the recordings, computed once when first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .judging import keeping_all
from .kinds import MANY, ON_LINES, QUIET
from .noise import NOISES
from .outcomes import SECONDS, gated, judged, lasting
from .side_by_side import Beside, side_by_side
from .trial import Trial
from .two_confirmations import confirmed_twice

if TYPE_CHECKING:
    import pandas as pd

BESIDE_SECONDS = (10, 60)
SIXTY, LINES = "60 s (60 generations)", "60 s (on lines)"
WHOLE = {SIXTY: MANY, LINES: ON_LINES}
"""Kinds whose whole recordings are a row of their own."""
ELSEWHERE = (*NOISES, "torch", "torch_fresh", "torch_fresh_in_a_run", "jax")
"""Kinds that are shown apart: under noise, and with other frameworks' steps."""


@dataclass(frozen=True)
class Findings:
    """Frames of `outcomes` on some trials."""

    trials: Sequence[Trial]

    @cached_property
    def quiet(self) -> list[Trial]:
        """Trials without added noise of NumPy's step, its arrays where NumPy puts them."""
        return [trial for trial in self.trials if trial.kind in QUIET]

    @cached_property
    def counted(self) -> list[Trial]:
        """Trials that alarms, coverage and the peers are counted from:
        those and the ones on lines.
        """
        return [trial for trial in self.trials if trial.kind in (*QUIET, ON_LINES)]

    def of(self, kind: str) -> list[Trial]:
        """Trials of one kind."""
        return [trial for trial in self.trials if trial.kind == kind]

    @cached_property
    def rows(self) -> dict[float | str, list[Trial]]:
        """Prefixes of so many seconds a cell, and whole recordings of other kinds."""
        prefixes = {seconds: lasting(self.quiet, seconds) for seconds in SECONDS}
        return prefixes | {row: self.of(kind) for row, kind in WHOLE.items()}

    @cached_property
    def verdicts(self) -> "dict[float | str, pd.DataFrame]":
        """Verdicts on each of the rows."""
        return {row: judged(trials) for row, trials in self.rows.items()}

    @cached_property
    def gates(self) -> "dict[float | str, pd.DataFrame]":
        """The gate on the same, so many seconds in each stage."""
        return {row: gated(trials) for row, trials in self.rows.items()}

    @cached_property
    def confirmations(self) -> "dict[float | str, dict[str, pd.DataFrame]]":
        """Each way to confirm on the same."""
        return {row: confirmed_twice(trials) for row, trials in self.rows.items()}

    @cached_property
    def by_machine(self) -> dict[str, list[Trial]]:
        """The longest recordings of each kind and machine."""
        found: dict[str, list[Trial]] = {}
        for trial in (trial for row in (max(SECONDS), *WHOLE) for trial in self.rows[row]):
            found.setdefault(f"{trial.kind}, {trial.facts['machine']}", []).append(trial)
        return found

    @cached_property
    def whole(self) -> "pd.DataFrame":
        """Verdicts on whole recordings."""
        return judged(self.counted)

    @cached_property
    def whole_gates(self) -> "pd.DataFrame":
        """The gate on whole recordings."""
        return gated(self.counted)

    @cached_property
    def elsewhere(self) -> "dict[str, pd.DataFrame]":
        """Verdicts of the kinds that are shown apart."""
        return {kind: judged(self.of(kind)) for kind in ELSEWHERE}

    @cached_property
    def kept_elsewhere(self) -> "dict[str, pd.DataFrame]":
        """Verdicts on the same, had no contended round been left out."""
        return {kind: judged(self.of(kind), keeping_all) for kind in ELSEWHERE}

    @cached_property
    def gates_elsewhere(self) -> "dict[str, pd.DataFrame]":
        """The gate on the same."""
        return {kind: gated(self.of(kind)) for kind in ELSEWHERE}

    @cached_property
    def beside(self) -> list[Beside]:
        """The peers' rules."""
        return [row for seconds in BESIDE_SECONDS for row in side_by_side(self.counted, seconds)]
