"""The tables of docs/in_tests.md."""

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from dnnbench.testing.not_slower import Outcome
from study.bounds import Count

from .recorded import SECONDS, Recording
from .simulated import Counts

MARKER = "<!-- alarms -->"
_WRITTEN = re.compile(f"{MARKER}.*?(?=\n## )", re.DOTALL)


def write(
    path: Path, recordings: Sequence[Recording], counts: Sequence[Counts], simulated: int
) -> str:
    """Write both tables behind the marker of the page, and give them back."""
    text = f"{_recorded(recordings)}\n\n{_simulated(counts, simulated)}\n"
    page = path.read_text()
    path.write_text(_WRITTEN.sub(lambda _: f"{MARKER}\n\n{text}", page))
    return text


def _recorded(recordings: Sequence[Recording]) -> str:
    dates = sorted({each.date for each in recordings})
    processors = sorted({each.processor for each in recordings})
    head = (
        f"Recorded by `make alarms` ({', '.join(dates)}; two shared cores of each processor): each "
        'assertion is a real test with `by="5%"`\n'
        f"and {SECONDS:g} s of visits in each of six fresh processes, of a NumPy product, a NumPy "
        "sum and Python's own sorting.\nThe same visits are judged twice: as they are, and with "
        "the rounds kept in which other work used the CPUs, which is harder.\nLimits are "
        "Clopper-Pearson's, one-sided, 95 %."
    )
    lines = [
        "| processor | f does | contended rounds | assertions | failed | skipped |",
        "|---|---|---|---|---|---|",
    ]
    extras = sorted({each.extra for each in recordings})
    for processor, extra in product(processors, extras):
        mine = [each for each in recordings if (each.processor, each.extra) == (processor, extra)]
        lines += [_row(mine, processor, extra, all_rounds) for all_rounds in (False, True)]
    return "\n".join([head, "", *lines])


def _row(recordings: Sequence[Recording], processor: str, extra: float, all_rounds: bool) -> str:
    outcomes = [each.outcome(all_rounds) for each in recordings]
    slower = Count(outcomes.count(Outcome.SLOWER), len(outcomes))
    work = f"{extra:.0%} more work" if extra else "the same work"
    failed = slower.at_least() if extra else slower.at_most()
    rounds = "kept" if all_rounds else "dropped"
    skipped = outcomes.count(Outcome.UNDECIDED)
    return f"| {processor} | {work} | {rounds} | {len(outcomes)} | {failed} | {skipped} |"


def _simulated(counts: Sequence[Counts], trials: int) -> str:
    head = (
        f'Simulated, {trials:,} assertions a row, `by="5%"`, six processes whose log ratios have '
        "the standard deviation on the left;\n`dnnbench doctor --noise` tells yours. Where f is "
        "slower by exactly 5 %, the rule may fail 1 % of the tests."
    )
    lines = [
        "| processes differ by | f is slower by | fails | is skipped |",
        "|---|---|---|---|",
    ]
    for each in counts:
        failed = each.slower.at_least() if each.slowdown > 0.05 else each.slower.at_most()
        lines.append(
            f"| {each.spread:.1%} | {each.slowdown:.0%} | {failed} | {each.undecided.share:.1%} |"
        )
    return "\n".join([head, "", *lines])
