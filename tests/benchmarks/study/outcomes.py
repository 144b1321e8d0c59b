"""Every rule on every recorded comparison: one row each, from which all tables are counted."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .bounds import Count
from .cuts import first_seconds
from .judging import Judged, verdict
from .peers import RULES
from .trial import Trial
from .two_stages import gate, in_twos

if TYPE_CHECKING:
    import pandas as pd

SECONDS = (10, 30, 60)
"""Of visits a cell: the shorter ones are prefixes of the longer recordings."""
IN_TURN, AFTER = "in turn", "one after the other"
SLACK = 0.999


def lasting(trials: Sequence[Trial], seconds: float) -> list[Trial]:
    """The first `seconds` a cell of every trial that is long enough."""
    enough = [trial for trial in trials if trial.facts["seconds_a_cell"] >= SLACK * seconds]
    return [first_seconds(trial, seconds) for trial in enough]


def judged(trials: Sequence[Trial], rule=verdict) -> "pd.DataFrame":
    """What a rule says: trial, kind, extra, truth, said, reason, value, low, high
    (the ratio and its interval).
    """
    import pandas as pd

    rows = [
        _row(place, trial, pair, rule(trial, *pair))
        for place, trial in enumerate(trials)
        for pair in trial.pairs
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


_COLUMNS = ("trial", "kind", "extra", "truth", "said", "reason", "value", "low", "high")


def _row(place: int, trial: Trial, pair: tuple[str, str], said: Judged) -> tuple:
    estimate = said.estimate
    facts = (place, trial.kind, trial.extra(*pair), trial.truth(*pair))
    return (
        *facts,
        said.text,
        said.reason.partition(":")[0],
        estimate.value,
        estimate.low,
        estimate.high,
    )


def gated(trials: Sequence[Trial]) -> "pd.DataFrame":
    """What the gate says: kind, extra, flagged, confirmed."""
    import pandas as pd

    rows = [
        (screen.kind, screen.extra(*pair), *said)
        for screen, fresh in in_twos(trials)
        for pair, said in gate(screen, fresh).items()
    ]
    return pd.DataFrame(rows, columns=["kind", "extra", "flagged", "confirmed"])


def peered(trials: Sequence[Trial]) -> "pd.DataFrame":
    """What the peers' rules say: rule, order, extra, slower.

    order: `in turn`, both sides from all processes, as dnnbench has visited them;
    `one after the other`, the base from the first half of the processes and the arm
    from the second, as these tools run, with half the seconds.
    """
    import pandas as pd

    rows = [
        (name, order, trial.extra(*pair), rule(base, arm))
        for trial in trials
        for pair in trial.pairs
        for order, base, arm in _sides(trial, *pair)
        for name, rule in RULES.items()
    ]
    return pd.DataFrame(rows, columns=["rule", "order", "extra", "slower"])


def _sides(trial: Trial, arm: str, base: str) -> Iterator[tuple[str, list, list]]:
    base_s, arm_s = (
        [trial.visits(label).call_s[trial.generation == g] for g in trial.generations]
        for label in (base, arm)
    )
    middle = len(base_s) // 2
    yield IN_TURN, base_s, arm_s
    if middle:
        yield AFTER, base_s[:middle], arm_s[middle:]


def label(trials: float | str) -> str:
    """Of a row: seconds a cell, or what else it is called."""
    return trials if isinstance(trials, str) else f"{trials:g} s"


def count(found: "pd.Series") -> Count:
    """How many of a column of truths are true."""
    return Count(int(found.sum()), len(found))
