"""The sections of a report, each built by a file of `sections`: a new one is one new file there,
and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .evidence import Evidence
from .section import Section

ANSWER = "answer"
"""Id of the section that stands first."""
GATE = "gate"
"""Id of the outcome of a gate, which stands before the answer of the run that measured it."""


@dataclass(frozen=True)
class Builder:
    """What a file of `sections` announces as `BUILDER`.

    place: sections stand in its order; those of dnnbench leave room between them.
    build: the section of one run; None where the run has nothing for it.
    """

    place: int
    build: Callable[[Evidence], Section | None]


def sections_of(evidence: Evidence) -> list[Section]:
    """Every section that the run has something for, the answer first."""
    built = [builder.build(evidence) for builder in builders()]
    return [section for section in built if section is not None]


def in_brief(sections: Sequence[Section]) -> list[Section]:
    """What is shown to whom does not ask for details: a gate's outcome, else the answer; all of it
    where there is neither.
    """
    of_gate = [section for section in sections if section.id == GATE]
    return of_gate or [section for section in sections if section.id == ANSWER] or list(sections)


@cache
def builders() -> tuple[Builder, ...]:
    """Those of all files of `sections`, by their place."""
    from . import sections

    names = [module.name for module in iter_modules(sections.__path__)]
    announced = [import_module(f"{sections.__name__}.{name}").BUILDER for name in names]
    return tuple(sorted(announced, key=lambda builder: builder.place))
