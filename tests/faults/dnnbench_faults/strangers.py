"""The table of faults that somebody devised who had not read how the check works: no law, no rule,
and none of the other faults' code; their table and names, yes.

They are counted apart, and those that a check misses are listed by name on docs/faults.md.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

BRANCH, TIMED, PUBLISHED = "the timed branch", "the timed batch", "published sizes"
RETURNED, PIECES, MEMORY = "what a step returns", "pieces", "waiting and memory"
RESTORE, EXTREMES, START = "restore", "numbers far from 1", "where a check starts"
CONDITIONS, LATER, TRAIN = "conditions never met", "later steps", "what train does"
ORDINARY, NARROW = "ops, losses, optimizers", "low precision"


class Stranger(NamedTuple):
    """A fault on a case of one backend, by its name on the command line.

    kind: one of those above   case: of `dnnbench.testing.cases`, or of `of_strangers_cases`
    where: the situation in which a result differs by more than rounding
    named: each "what part" that is right in an explanation; empty where nobody has said
    change: of a program   targets: `module.function` that `change` makes a fault of instead
    steps, timed_rows: as of a `ProgramFault`
    """

    kind: str
    backend: str
    case: str
    mode: str
    where: str
    change: Callable[[Any], Any]
    targets: tuple[str, ...] = ()
    dtype: str = "float64"
    named: tuple[str, ...] = ()
    steps: tuple[int, ...] = (1, 5, 12)
    timed_rows: int = 0


STRANGERS: list[Stranger] = []
BUILT: Counter[str] = Counter()
"""Programs that were built since a fault was planted, by its mode."""


def stranger(kind: str, case: str, where: str, *targets: str, **options: Any):
    """Register a function as the fault of its own name, in the backend that its module is of:
    it changes a program, or with targets makes a fault of an honest function.
    """

    def register(change):
        backend = change.__module__.rpartition(".")[2].split("_")[2]
        place = kind, backend, case, change.__name__, where
        STRANGERS.append(Stranger(*place, change, targets, **options))
        return change

    return register


def instead(program: Any, name: str):
    """Put `fault(honest, *arguments)` in place of a method of one program."""

    def register(fault):
        honest = getattr(program, name)
        setattr(program, name, lambda *arguments: fault(honest, *arguments))
        return fault

    return register
