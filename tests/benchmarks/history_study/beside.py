"""The rule beside those of other tools, on the same series and after the same nights."""

import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from dnnbench.stats.change_limits import limit_of

from .counting import SEED, SOON
from .equal_series import INDEPENDENT, KINDS
from .nightly import looks
from .rules import RULES
from .simulating import simulate, with_change, with_drift

NIGHT = 40
"""From which on a changed series is slower."""
OWN = "dnnbench, one cell"
OUTSIDE = {"asv, 5 %": "asv_looks.py", "Apache Otava (E-divisive)": "otava_looks.py"}
"""Rules that need an environment of their own, and the script that asks them."""


@dataclass(frozen=True)
class Beside:
    """A rule on series of one kind.

    false: how many of them it reports before the change, or at all where there is none.
    soon: how many it reports within `SOON` points of the change and not before.
    """

    rule: str
    kind: str
    size: float
    series: int
    false: int
    soon: int


def kinds(count: int) -> dict[tuple[str, float], np.ndarray]:
    """Series by what they are called and the size of their change."""
    draw = np.random.default_rng([SEED, 400])
    carried = KINDS["days carry over by 0.5"]
    outliers = KINDS["2 % of the runs slower by 5 to 30 %"]
    quiet = simulate(INDEPENDENT, count, draw)
    made = {("equal", 0.0): quiet}
    made |= {("changed", size): with_change(quiet, NIGHT, size) for size in (0.02, 0.05, 0.10)}
    made["equal, days carry over", 0.0] = simulate(carried, count, draw)
    made["equal, 2 % outliers", 0.0] = simulate(outliers, count, draw)
    made["5 % drift", 0.0] = with_drift(quiet, 0.05)
    made["another machine from night 30 on, 8 % slower", 0.0] = with_change(quiet, 30, 0.08)
    return made


def beside(count: int, interpreters: dict[str, str], outside_count: int) -> list[dict]:
    """interpreters: of `OUTSIDE`, by name; a rule without one is left out."""
    rows = []
    for (kind, size), series in kinds(count).items():
        by_rule = {OWN: _own(series, "machine" in kind)}
        times = np.exp(series)
        by_rule |= {name: rule(times) for name, rule in RULES.items()}
        for name, python in interpreters.items():
            by_rule[name] = _outside(python, OUTSIDE[name], times[:outside_count])
        rows += [asdict(_row(name, kind, size, alarms)) for name, alarms in by_rule.items()]
        print(f"beside: {kind} {size:g}", flush=True)
    return rows


def _own(series: np.ndarray, two_machines: bool) -> np.ndarray:
    """Reports slowdowns alone, as the others do; never looks at two machines at once."""
    parts = [series[:, :30], series[:, 30:]] if two_machines else [series]
    seen = [looks(part) for part in parts]
    return np.concatenate([one.alarms(limit_of(1)) & (one.change > 0) for one in seen], axis=1)


def _outside(python: str, script: str, times: np.ndarray) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        here, there = (Path(folder) / name for name in ("in.npy", "out.npy"))
        np.save(here, times)
        subprocess.run([python, Path(__file__).with_name(script), here, there], check=True)
        return np.load(there)


def _row(rule: str, kind: str, size: float, alarms: np.ndarray) -> Beside:
    if not size:
        return Beside(rule, kind, size, len(alarms), int(alarms.any(axis=1).sum()), 0)
    false = alarms[:, :NIGHT].any(axis=1)
    soon = alarms[:, NIGHT : NIGHT + SOON].any(axis=1) & ~false
    return Beside(rule, kind, size, len(alarms), int(false.sum()), int(soon.sum()))
