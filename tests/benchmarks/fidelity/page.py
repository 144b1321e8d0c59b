"""docs/fidelity.md: every figure in its tables is counted from the recordings."""

from collections.abc import Callable, Sequence
from math import isnan
from pathlib import Path

from dnnbench.stats.estimates import Estimate
from table import filled, markdown

from .figures import AIM, Figure, figures, newest, summaries
from .networks import NETWORKS
from .recordings import Recording
from .styles import STYLES

PAGE = Path(__file__).parents[3] / "docs" / "fidelity.md"
TEMPLATE = Path(__file__).with_name("template.md")
NOTHING = "Nothing is recorded yet.\n"
CHAOTIC = 0.2
"""Of its way: where roundings move a weight that far, equality of weights shows little."""


def write(recordings: Sequence[Recording], path: Path = PAGE) -> Path:
    """Write the page; its path."""
    path.write_text(text(recordings))
    return path


def text(recordings: Sequence[Recording]) -> str:
    """The page."""
    every = figures(recordings)
    parts = {
        "summary": _summary(every),
        "ratios": _by_arm(every, lambda figure: _ratio(figure.cpu)),
        "clocks": _by_arm(every, lambda figure: _ratio(figure.wall)),
        "times": _by_arm(every, lambda figure: f"{1e3 * figure.twin_s:.3g} ms"),
        "sittings": _sittings(newest(recordings)),
        "networks": _networks(),
    }
    stripped = {name: part.rstrip() for name, part in parts.items()}
    return filled(TEMPLATE.read_text().format(**stripped))


def _summary(every: Sequence[Figure]) -> str:
    rows = [
        [arm, str(one.cells), f"{one.mean:.3f}", _named(one.above), _named(one.wholly_above)]
        for arm, one in summaries(every).items()
    ]
    heading = ["arm", "cells", "geometric mean", f"above {AIM}", f"whole interval above {AIM}"]
    return markdown(heading, rows) or NOTHING


def _named(cells: Sequence[Figure]) -> str:
    named = [f"{figure.network} {figure.phase} {figure.cpu.value:.2f}" for figure in cells]
    return ", ".join(named) or "none"


def _by_arm(every: Sequence[Figure], shown: Callable[[Figure], str]) -> str:
    """A table an arm: a row a network, a column a twin and phase."""
    parts = []
    for arm, styles in STYLES.items():
        of_arm = {(f.network, f.twin, f.phase): shown(f) for f in every if f.arm == arm}
        columns = [(twin, phase) for twin, style in styles.items() for phase in style.phases]
        rows = [
            [network, *(of_arm.get((network, *column), "") for column in columns)]
            for network in NETWORKS
            if any(where[0] == network for where in of_arm)
        ]
        if rows:
            heading = [arm, *(f"{phase} beside {twin}" for twin, phase in columns)]
            parts.append(markdown(heading, rows))
    return "\n".join(parts) or NOTHING


def _ratio(estimate: Estimate) -> str:
    if isnan(estimate.low):
        return f"{estimate.value:.3f} (one process)"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _sittings(recordings: Sequence[Recording]) -> str:
    """When, where, with what, and how equal the sides were."""
    if not recordings:
        return NOTHING
    days = sorted({one.date for one in recordings})
    versions = sorted({f"{n} {text}" for one in recordings for n, text in one.versions.items()})
    count = "one process" if len(recordings) == 1 else f"{len(recordings)} processes"
    span = " to ".join(dict.fromkeys((days[0], days[-1])))
    return (
        f"{count}, {span}, on "
        f"{' and on '.join(sorted({one.processor for one in recordings}))}; {', '.join(versions)}. "
        f"The sides' outputs and losses differed by at most "
        f"{max(one.outputs for one in recordings):.1%} of what they may, their weights after three "
        f"steps by {max(one.weights for one in recordings):.1%}.{_chaos(recordings)}\n"
    )


def _chaos(recordings: Sequence[Recording]) -> str:
    """What roundings do to networks whose weights they move far."""
    furthest: dict[str, float] = {}
    for one in recordings:
        furthest[one.network] = max(one.moved, furthest.get(one.network, 0.0))
    named = [f"`{name}` by {most:.0%}" for name, most in furthest.items() if most > CHAOTIC]
    if not named:
        return ""
    return (
        f" Roundings of the first weights move a weight of {', of '.join(named)} of the way that "
        "training moves it: beside twins with other kernels, the check before timing shows little "
        "more of these networks than inference, and the one in float64 the rest."
    )


def _networks() -> str:
    rows = [[name, f"`{net.written(net.timed)}`"] for name, net in NETWORKS.items()]
    return markdown(["network", "workload"], rows)
