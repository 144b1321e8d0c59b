"""A sitting: trials for so many minutes, each kept as soon as it is whole."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from dnnbench.errors import WorkerError
from dnnbench.host.clock import now

from .kinds import Kind
from .measure import record
from .recordings import append


def sit(kinds: Sequence[Kind], minutes: float, folder: Path, say: Callable[[str], None]) -> int:
    """Record trials of these kinds in turn until the next one does not fit; how many were kept.

    A trial that loses a worker is told and not kept; Ctrl-C leaves those that are whole.
    """
    path = folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.npz"
    end, expected_s, kept = now() + 60 * minutes, {kind.name: kind.expected_s for kind in kinds}, 0
    for kind in cycle(kinds):
        if now() + expected_s[kind.name] > end:
            return kept
        begin = now()
        try:
            append(path, record(kind, random.SystemRandom().randrange(1 << 31)))
        except WorkerError as error:
            say(f"{kind.name}: not kept: {error}")
            expected_s[kind.name] *= 2
            continue
        kept, expected_s[kind.name] = kept + 1, now() - begin
        say(
            f"trial {kept}: {kind.name}, {expected_s[kind.name]:.0f} s, "
            f"{(end - now()) / 60:.1f} minutes left"
        )
