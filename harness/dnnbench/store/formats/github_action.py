"""The lists that github-action-benchmark takes as `customSmallerIsBetter` and
`customBiggerIsBetter`.

Source: the README of benchmark-action/github-action-benchmark: a list of objects with `name`,
`unit` and `value`, and, if one likes, `range` and `extra`, both texts.
"""

from typing import Any

from .timed import Row, TimedRun, cell_name

MICROSECONDS = 1e6


def smaller_is_better(timed: TimedRun) -> list[dict[str, Any]]:
    """Microseconds a call of each timed cell, with the larger half of its 95 % interval."""
    return [_entry(timed, cell, "us", _microseconds(cell)) for cell in timed.cells]


def bigger_is_better(timed: TimedRun) -> list[dict[str, Any]]:
    """Examples a second of each timed cell, with the larger half of its 95 % interval."""
    return [_entry(timed, cell, "examples/s", _examples_a_second(cell)) for cell in timed.cells]


Interval = tuple[float, float | None, float | None]
"""A value, and the ends of its interval where it has one."""


def _microseconds(cell: Row) -> Interval:
    ends = cell.get("call_s_low"), cell.get("call_s_high")
    low, high = (None if end is None else MICROSECONDS * end for end in ends)
    return MICROSECONDS * cell["call_s"], low, high


def _examples_a_second(cell: Row) -> Interval:
    examples = cell["batch_size"]
    ends = cell.get("call_s_high"), cell.get("call_s_low")  # the longest call is the lowest rate
    low, high = (None if end is None else examples / end for end in ends)
    return examples / cell["call_s"], low, high


def _entry(timed: TimedRun, cell: Row, unit: str, interval: Interval) -> dict[str, Any]:
    value, low, high = interval
    entry = {"name": cell_name(cell), "unit": unit, "value": value, "extra": _extra(timed, cell)}
    if low is None or high is None:
        return entry
    return entry | {"range": f"± {max(value - low, high - value):.4g}"}


def _extra(timed: TimedRun, cell: Row) -> str:
    """What a reader sees beside the point of a chart."""
    lines = [f"run {timed.run['run_id']}, dnnbench {timed.run['dnnbench_version']}"]
    if cell.get("generations"):
        lines.append(f"generations: {cell['generations']}")
    if cell.get("verdict"):
        lines.append(f"{cell['verdict']} than {cell['base']}, {cell['ratio']:.3f} times its time")
    return "\n".join(lines)
