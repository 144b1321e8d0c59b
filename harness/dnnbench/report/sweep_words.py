"""What a sweep comes to, in sentences; a claim stands only where the intervals bear it."""

import math
from collections.abc import Sequence

from ..protocol.keys import CaseKey
from ..stats.estimates import Estimate
from ..stats.verdict import Verdict, place
from .evidence import HEADLINES
from .quantity import factor, interval, seconds, throughput
from .scaling import LEAST_GAIN, Kind, Sweep, SweepPoint
from .words import listed

LATENCIES_S = (1e-3, 1e-2, 1e-1)


def where(sweep: Sweep) -> str:
    """The workload, at its batch size where that does not vary."""
    if sweep.batch_size is None:
        return sweep.workload
    return str(CaseKey(sweep.workload, sweep.batch_size))


def named(sweep: Sweep, point: SweepPoint) -> str:
    """A value as a sentence has it."""
    kind = sweep.axis.kind
    if kind is Kind.THREADS:
        return "1 thread" if point.value == 1 else f"{point.value} threads"
    if kind is Kind.PARAMETER:
        return f"{sweep.axis.name}={point.value}"
    return f"batch {point.value}" if kind is Kind.BATCH else str(point.value)


def sentences(sweep: Sweep, theta: float) -> list[str]:
    """All that is to be said of a sweep, what is certain first.

    theta: the dead zone of verdicts, a share.
    """
    subject = f"{where(sweep)}, {HEADLINES[sweep.phase]} with {sweep.arm}"
    said = [*certain(sweep, theta), *_open(sweep, theta)]
    return [f"{subject}: {text}" for text in said]


def certain(sweep: Sweep, theta: float) -> list[str]:
    """What the intervals bear, without its subject."""
    if not sweep.in_numbers:
        return [_against_first(sweep, later) for later in _decided(sweep, theta)]
    if sweep.axis.kind is Kind.PARAMETER:
        return _along_parameter(sweep)
    return [*_stops(sweep), *_best_batch(sweep)]


def _decided(sweep: Sweep, theta: float) -> list[int]:
    """Points whose difference from the first lies beyond the dead zone, or within it."""
    clear = (Verdict.FASTER, Verdict.SLOWER, Verdict.SAME)
    return [
        later for later in range(1, len(sweep.points)) if _verdict(sweep, later, theta) in clear
    ]


def _verdict(sweep: Sweep, later: int, theta: float) -> Verdict | None:
    """Of the time of a point over that of the first."""
    gain = sweep.gain(0, later)
    if not _has_interval(gain):
        return None
    over = Estimate(1 / gain.value, 1 / gain.high, 1 / gain.low, gain.generations)
    return place(over, theta).verdict


def _has_interval(gain: Estimate) -> bool:
    return math.isfinite(gain.low) and math.isfinite(gain.high)


def _against_first(sweep: Sweep, later: int) -> str:
    """'bfloat16 is 1.9x [1.8, 2.0] faster than float32'."""
    gain = sweep.gain(0, later)
    name, first = named(sweep, sweep.points[later]), named(sweep, sweep.points[0])
    if gain.low > 1:
        return f"{name} is {factor(gain.value)}x {_ends(gain)} faster than {first}"
    if gain.high < 1:
        slower = Estimate(1 / gain.value, 1 / gain.high, 1 / gain.low, gain.generations)
        return f"{name} is {factor(slower.value)}x {_ends(slower)} slower than {first}"
    return f"{name} is as fast as {first}"


def _ends(estimate: Estimate) -> str:
    return interval(estimate.low, estimate.high, factor)


def _along_parameter(sweep: Sweep) -> list[str]:
    """How time grows from the least value to the greatest."""
    first, last = sweep.points[0], sweep.points[-1]
    gain = sweep.gain(0, len(sweep.points) - 1)
    if not _has_interval(gain):
        return []
    work = last.batch_size * last.unit.each / (first.batch_size * first.unit.each)
    longer = Estimate(work / gain.value, work / gain.high, work / gain.low, gain.generations)
    name = sweep.axis.name
    took = f"{name} from {first.value} to {last.value}: {factor(longer.value)}x {_ends(longer)}"
    times = [f"{took} as long a call"]
    if first.unit.name == "tokens" and work != 1:
        times.append(_tokens(sweep, gain))
    return times


def _tokens(sweep: Sweep, gain: Estimate) -> str:
    """What a longer sequence does to tokens a second."""
    first, last = (named(sweep, sweep.points[place]) for place in (0, -1))
    if gain.low > 1:
        return f"{factor(gain.value)}x {_ends(gain)} as many tokens/s at {last} as at {first}"
    if gain.high < 1:
        return f"{factor(gain.value)}x {_ends(gain)} the tokens/s at {last}, against {first}"
    return f"tokens/s at {last} and {first} cannot be told apart"


def _stops(sweep: Sweep) -> list[str]:
    """From where on more brings no more; empty where the intervals do not tell."""
    if not sweep.is_certain:
        return []
    place = sweep.enough
    point = sweep.points[place]
    rate = f"{throughput(point.per_s)} {point.unit.a_second}"
    if place == len(sweep.points) - 1:
        gain = sweep.gain(place - 1, place)
        before = named(sweep, sweep.points[place - 1])
        gained = f"{factor(gain.value)}x {_ends(gain)} that of {before}"
        return [f"throughput gains to the end, {named(sweep, point)} ({rate}, {gained})"]
    return [f"throughput stops gaining at {named(sweep, point)} ({rate})"]


def _best_batch(sweep: Sweep) -> list[str]:
    """The batch for throughput, and the largest within a latency."""
    if sweep.axis.kind is not Kind.BATCH:
        return []
    others = [str(point.value) for point in sweep.as_good]
    share = f", not told from {listed(others)}" if others else ""
    best = f"best batch size for throughput: {sweep.best.value}{share}"
    return ["; ".join([best, *_within(sweep)])]


def _within(sweep: Sweep) -> list[str]:
    """The largest batch within some latencies, of those that tell batches apart."""
    largest = [(limit, sweep.within(limit)) for limit in LATENCIES_S]
    telling = [
        f"{point.value} within {seconds(limit)}"
        for limit, point in largest
        if point is not None and point is not sweep.points[-1]
    ]
    return [f"largest for a latency: {', '.join(telling)}"] if telling else []


def _open(sweep: Sweep, theta: float) -> list[str]:
    """What the run leaves undecided."""
    first = sweep.points[0]
    if not sweep.in_numbers:
        decided = set(_decided(sweep, theta))
        names = [
            named(sweep, point)
            for place, point in enumerate(sweep.points)
            if place and place not in decided
        ]
        return [f"{listed(names)} cannot be told from {named(sweep, first)}"] if names else []
    if sweep.axis.kind is Kind.PARAMETER or sweep.is_certain:
        return []
    percent = f"{LEAST_GAIN:.0%}".replace("%", " %")
    return [f"where throughput stops gaining {percent} is undecided; by its medians at "
            f"{named(sweep, sweep.points[sweep.enough])}"]  # fmt: skip


def headlines(every: Sequence[Sweep], theta: float, most: int) -> list[str]:
    """For the answer: what is certain of each sweep, arms that say the same together."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for sweep in every:
        if text := "; ".join(certain(sweep, theta)):
            said.setdefault((HEADLINES[sweep.phase], text, where(sweep)), []).append(sweep.arm)
    lines = [
        f"{purpose.capitalize()} of {subject}: {text} with {listed(arms)}."
        for (purpose, text, subject), arms in said.items()
    ]
    more = len(lines) - most
    return [*lines[:most], f"{more} more under Scaling (--details)."] if more > 0 else lines
