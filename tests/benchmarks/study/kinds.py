"""What a trial is made of: arms of known extra work, pairs to judge, seconds,
the step, the noise.
"""

import math
from dataclasses import dataclass

from .step import STEPS

REPEATS = 100
"""Sub-steps of the base's step; an arm of +5 % repeats them 105 times."""
LOADS = {"base": 100, "twin": 100, "+1 %": 101, "+2 %": 102, "+5 %": 105, "+10 %": 110}
TWINS = {"base": 100, "twin": 100, "base 2": 100, "twin 2": 100, "base 3": 100, "twin 3": 100}
PAIRS_OF_TWINS = (("twin", "base"), ("twin 2", "base 2"), ("twin 3", "base 3"))
SETS = {"base": 100, "+5 %": 105, "+10 %": 110, "base 2": 100, "+5 % 2": 105, "+10 % 2": 110}
PAIRS_OF_SETS = (
    ("+5 %", "base"), ("+10 %", "base"), ("+5 % 2", "base 2"), ("+10 % 2", "base 2"),
    ("base 2", "base"),
)  # fmt: skip
"""Each slower arm twice, each time against a base of its own:
two comparisons that share no process; and one of equals.
"""
SINGLES = dict.fromkeys(TWINS, 1)
"""A network's pass is a step by itself."""
MANY = "many"
"""The same as `long` in sixty generations of a second:
what `--generations auto` makes of 60 s where processes differ.
"""
ON_LINES = "on_lines"
"""As long as `long`, every array at the beginning of a cache line:
processes do not differ by where NumPy put them.
"""
OVERHEAD = 1.15
"""Wall time of the rounds over that of their visits, before any has been seen."""


@dataclass(frozen=True)
class Kind:
    """A kind of trial.

    arms: label -> sub-steps in its step.
    pairs: (arm, base) to judge.
    seconds: of visits a cell, over all generations.
    noise: a name of `noise.NOISES`, or empty.
    step: a name of `step.STEPS`.
    builds: how often each process builds its step anew;
    what is recorded as a generation is then one build of one set of processes.
    """

    name: str
    arms: dict[str, int]
    pairs: tuple[tuple[str, str], ...]
    seconds: float
    generations: int = 6
    noise: str = ""
    step: str = "numpy"
    builds: int = 1

    @property
    def expected_s(self) -> float:
        """Wall seconds a trial should take."""
        return self.generations * STEPS[self.step].start_s + OVERHEAD * self.seconds * len(
            self.arms
        )


def extra(arm: int, base: int) -> float:
    """Share of work that an arm of so many sub-steps does beyond its base."""
    return arm / base - 1


def truth(arm: int, base: int) -> float:
    """The log ratio that a perfect measurement gives."""
    return math.log(arm / base)


def _against_base(name: str, seconds: float, **more) -> Kind:
    return Kind(
        name, LOADS, tuple((arm, "base") for arm in LOADS if arm != "base"), seconds, **more
    )


KINDS = {
    kind.name: kind
    for kind in (
        Kind("same", TWINS, PAIRS_OF_TWINS, 10.0),
        _against_base("quick", 10.0),
        _against_base("long", 60.0),
        _against_base(MANY, 60.0, generations=60),
        Kind(ON_LINES, SETS, PAIRS_OF_SETS, 60.0, step="numpy_on_lines"),
        _against_base("cpu_hog", 10.0, noise="cpu_hog"),
        _against_base("memory_hog", 10.0, noise="memory_hog"),
        _against_base("drift", 10.0, noise="drift"),
        _against_base("late_hog", 10.0, noise="late_hog"),
        _against_base("torch", 10.0, step="torch"),
        _against_base("torch_fresh", 10.0, step="torch_fresh"),
        _against_base("torch_fresh_in_a_run", 10.0, step="torch_fresh_in_a_run"),
        _against_base("jax", 10.0, step="jax"),
        Kind("rebuilt", TWINS, PAIRS_OF_TWINS, 24.0, builds=4),
        Kind("rebuilt_torch", TWINS, PAIRS_OF_TWINS, 24.0, builds=4, step="torch_fresh"),
        Kind(
            "rebuilt_torch_network", SINGLES, PAIRS_OF_TWINS, 24.0, builds=4, step="torch_network"
        ),
        Kind("rebuilt_jax_network", SINGLES, PAIRS_OF_TWINS, 24.0, builds=4, step="jax_network"),
    )
}
QUIET = ("same", "quick", "long")
"""Kinds without added noise whose step is NumPy's, arrays where NumPy puts them,
in six generations.
"""
