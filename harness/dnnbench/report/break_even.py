"""After how many calls an arm that starts later but runs faster has caught up with the base."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from ..stats.verdict import Verdict
from .purposes import Purpose
from .quantity import digits


@dataclass(frozen=True)
class BreakEven:
    """calls: how many of `name` (training steps or inferences) until `arm` has overtaken `base`,
    starts included.
    """

    workload: str
    batch_size: int
    name: str
    arm: str
    base: str
    calls: int
    caches: str
    """What the starts met, in words; empty where that needs none."""

    @property
    def sentence(self) -> str:
        unit = "steps" if self.name == "training" else "calls"
        calls = f"about {digits(self.calls, 2)} {unit}"
        caches = f" {self.caches}" if self.caches else ""
        overtaking = f"{self.arm} overtakes {self.base} after {calls}{caches}"
        return f"{self.workload}/{self.batch_size} {self.name}: {overtaking}"


def break_evens(purposes: Sequence[Purpose], base: str | None, caches: str = "") -> list[BreakEven]:
    """N = (start_arm - start_base) / (call_base - call_arm), rounded up, where each wins once.

    Either way round. Starts are import, build and first call together; an arm that starts first
    and runs faster needs no catching up. Only of arms that the run told apart: between others the
    difference that N divides by may be nothing but noise.
    """
    bases = {(p.workload, p.batch_size, p.name): p for p in purposes if p.arm == base}
    others = [p for p in purposes if p.arm != base]
    pairs = [(p, bases.get((p.workload, p.batch_size, p.name))) for p in others]
    apart = [(arm, other) for arm, other in pairs if other and _told_apart(arm, other)]
    meetings = (_meeting(arm, other, caches) for arm, other in apart)
    return [meeting for meeting in meetings if meeting is not None]


def _told_apart(arm: Purpose, base: Purpose) -> bool:
    """Whether a verdict says which is faster, and their times say the same."""
    return arm.verdict == (Verdict.FASTER if arm.call_s < base.call_s else Verdict.SLOWER)


def _meeting(one: Purpose, two: Purpose, caches: str) -> BreakEven | None:
    """Where the one that starts later overtakes the other; None where it never does, or a start is
    not known.
    """
    if one.start_s is None or two.start_s is None:
        return None
    later_s = one.start_s - two.start_s
    if not later_s * (two.call_s - one.call_s) > 0:
        return None
    late, early = (one, two) if later_s > 0 else (two, one)
    calls = ceil(abs(later_s) / (early.call_s - late.call_s))
    return BreakEven(late.workload, late.batch_size, late.name, late.arm, early.arm, calls, caches)
