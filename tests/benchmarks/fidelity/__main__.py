"""Measure what is not recorded yet, then write docs/fidelity.md: `make fidelity`.

Interrupted, it goes on where it stopped: each process is kept as soon as it has ended.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from math import exp
from pathlib import Path

from dnnbench.errors import DnnbenchError, UsageError
from dnnbench.host.clock import now
from dnnbench.host.lock import machine_lock

from . import page, recordings
from .measure import measure
from .networks import NETWORKS
from .styles import STYLES

BENCHMARKS = Path(__file__).parents[1]
PROCESSES = 6


def main() -> int:
    options = _options()
    try:
        if options.minutes > 0:
            _prepare(options)
            with machine_lock(wait_s=options.wait):
                failed = _measure(options)
    except DnnbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(page.write(recordings.read(options.recordings), options.page))
    return 1 if options.minutes > 0 and failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fidelity", description=__doc__)
    parser.add_argument("--minutes", type=float, default=600,
                        help="at most; 0 only writes the page (default 600)")  # fmt: skip
    parser.add_argument("--arms", default=",".join(STYLES),
                        help=f"of {', '.join(STYLES)} (default all)")  # fmt: skip
    parser.add_argument("--networks", default=",".join(NETWORKS),
                        help=f"of {', '.join(NETWORKS)} (default all)")  # fmt: skip
    parser.add_argument("--processes", type=int, default=PROCESSES,
                        help=f"of each arm with each network (default {PROCESSES})")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=4, help="of rounds (default 4)")
    parser.add_argument("--again", action="store_true",
                        help="forget what is recorded of these arms and networks")  # fmt: skip
    parser.add_argument("--recordings", type=Path, default=recordings.FILE)
    parser.add_argument("--page", type=Path, default=page.PAGE)
    parser.add_argument("--wait", type=float, default=0,
                        help="seconds to wait for another dnnbench (default 0)")  # fmt: skip
    return parser.parse_args()


def _prepare(options: argparse.Namespace) -> None:
    """Workers find this package; what is to be measured again is forgotten."""
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(BENCHMARKS), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    options.arms = _chosen("--arms", options.arms, STYLES)
    options.networks = _chosen("--networks", options.networks, NETWORKS)
    if options.again:
        wanted = {(arm, network) for arm in options.arms for network in options.networks}
        kept = [r for r in recordings.read(options.recordings) if (r.arm, r.network) not in wanted]
        recordings.write(kept, options.recordings)


def _chosen(option: str, names: str, among) -> list[str]:
    chosen = names.split(",")
    if unknown := [name for name in chosen if name not in among]:
        raise UsageError(f"{option}: there is no '{unknown[0]}'; choose of {', '.join(among)}")
    return chosen


def _measure(options: argparse.Namespace) -> int:
    """How many processes failed."""
    end, failed = now() + 60 * options.minutes, 0
    for number, arm, network in _missing(options):
        if now() >= end:
            print("the time is up: the next call goes on from here")
            break
        begin = now()
        try:
            recording = measure(arm, network, options.seconds, number)
        except DnnbenchError as error:
            print(f"{arm} {network}: {error}", file=sys.stderr)
            failed += 1
            continue
        recordings.append(recording, options.recordings)
        ratios = [f"{one.phase} beside {one.twin} {exp(one.cpu):.3f}" for one in recording.cells]
        took = f"{arm} {network}, process {number + 1}: {now() - begin:.0f} s"
        print("; ".join([took, *ratios]), flush=True)
    return failed


def _missing(options: argparse.Namespace) -> Iterator[tuple[int, str, str]]:
    """(number of the process, arm, network) of what is not recorded: every pair once, then again,
    so that an early end leaves all alike.
    """
    kept = Counter((r.arm, r.network) for r in recordings.read(options.recordings))
    for number in range(options.processes):
        for network in options.networks:
            for arm in options.arms:
                if kept[arm, network] <= number:
                    yield number, arm, network


if __name__ == "__main__":
    sys.exit(main())
