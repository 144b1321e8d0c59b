"""Which of a backend's modes is the fastest, from one measurement of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import PluginError, UsageError
from ..plugins.checking import BEST
from ..protocol.arm import Arm
from ..protocol.keys import CellKey

LEAST_GAIN = 0.03
"""Of the default mode's time, that another mode must save to be taken: one process of each mode is
measured, and processes of one mode differ by as much.
"""


@dataclass(frozen=True)
class Choice:
    """The mode that stands for `best`.

    shares: time of each mode over the default's, the geometric mean over cells
    left_out: why other modes were not chosen among
    """

    mode: str
    shares: Mapping[str, float]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def sentence(self, written: str, chosen: str) -> str:
        """What became of the arm that the user wrote."""
        figures = [f"{mode} {share:.2f}" for mode, share in self.shares.items()]
        figures += [f"{mode}: {why}" for mode, why in self.left_out.items()]
        return (
            f"{written} is {chosen} here (time over the default mode's, one process each: "
            f"{', '.join(figures)})"
        )


def chosen_among(
    default: str,
    call_s: Mapping[str, Mapping[CellKey, Sequence[float]]],
    left_out: Mapping[str, str],
) -> Choice:
    """The fastest mode of those that can do all that the default can.

    call_s: seconds a call by mode and cell, of each round
    PluginError where the default itself could not be measured.
    """
    if default not in call_s:
        raise PluginError(
            f"the fastest mode cannot be found: {default}: {left_out[default]}; name a mode"
        )
    usual, reasons, shares = call_s[default], dict(left_out), {}
    for mode, cells in call_s.items():
        if missing := usual.keys() - cells.keys():
            reasons[mode] = f"lacks {len(missing)} of the {len(usual)} cells that {default} has"
            continue
        effects = [np.median(np.log(cells[key]) - np.log(usual[key])) for key in usual]
        shares[mode] = float(np.exp(np.mean(effects)))
    fastest = min(shares, key=lambda mode: shares[mode])
    gains = shares[fastest] <= 1 - LEAST_GAIN
    return Choice(fastest if gains else default, shares, reasons)


def refuse_best(arms: Sequence[Arm]) -> None:
    """UsageError where a mode would have to be found for a command that measures nothing."""
    named = [arm.name for arm in arms if arm.mode == BEST]
    if named:
        raise UsageError(f"{named[0]}: the fastest mode is found for a run; name a mode here")
