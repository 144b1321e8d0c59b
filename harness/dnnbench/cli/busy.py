"""Before time is spent: whether other work would spoil a run, and whether to go on."""

import os
import sys
import time
from select import select

from .output import Output

WATCH_S = 0.5
"""How long the counters of contention are watched."""
ANSWER_S = 15.0
"""How long somebody at the terminal has to answer."""


def warn_if_busy(output: Output, answer_s: float = ANSWER_S) -> bool:
    """Say what would spoil the rounds of a run, and ask whether to go on where somebody may answer.

    answer_s: how long an answer is waited for; without one the run goes on.
    returns: whether to measure; always where stdin or stderr is no terminal.
    """
    reasons = disturbances(WATCH_S)
    if not reasons:
        return True
    output.note(
        f"this machine is busy ({', '.join(reasons)}): rounds that meet it are dropped, and where "
        "all do nothing is judged; end other work (dnnbench doctor shows more), or wait"
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    output.note(f"measure all the same? [Y/n] (goes on by itself in {answer_s:g} s)")
    answered, _, _ = select([sys.stdin], [], [], answer_s)
    return not (answered and sys.stdin.readline().strip().lower().startswith("n"))


def disturbances(watch_s: float) -> list[str]:
    """The load, and what the kernel counted in so many seconds that would drop a round.

    Empty where nothing would.
    """
    from ..execution.measured import DISTURBANCES
    from ..host.affinity import current_mask
    from ..host.contention import Sampler, flags

    cpus = current_mask()
    sampler = Sampler(cpus)
    before = sampler.read()
    time.sleep(watch_s)
    counted = flags(before, sampler.read())
    names = [name for flag, name in DISTURBANCES.items() if counted & flag]
    return [f"load {os.getloadavg()[0]:.0f} on {len(cpus)} CPUs", *names] if names else []
