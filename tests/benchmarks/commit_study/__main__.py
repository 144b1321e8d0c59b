"""Gates of commits whose truth is known, then the table of docs/gate.md: `make commit-study`.

Interrupted, it goes on where it stopped: each gate is kept as soon as it has ended.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dnnbench.host.clock import now

from . import page, recordings
from .gates import gate
from .project import StudyProject

ROOT = Path(__file__).parents[3]


def main() -> int:
    options = _options()
    os.environ.setdefault("DNNBENCH_ENVS", str(options.place / "envs"))
    if options.minutes > 0:
        _record(options)
    print(page.write(options.page, recordings.read(options.recordings)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="commit_study", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120,
                        help="at most; 0 only writes the table (default 120)")  # fmt: skip
    parser.add_argument("--equal", type=int, default=60,
                        help="gates of equal commits in all (default 60)")  # fmt: skip
    parser.add_argument("--slower", default="10:30",
                        help="PERCENT:GATES,... of slower commits (default 10:30)")  # fmt: skip
    parser.add_argument("--max-time", default="10s", help="of each stage (default 10s)")
    parser.add_argument("--place", type=Path, default=ROOT / "build" / "commit-study",
                        help="folder of the project and its environments")  # fmt: skip
    parser.add_argument("--recordings", type=Path, default=recordings.FILE)
    parser.add_argument("--page", type=Path, default=page.PAGE)
    return parser.parse_args()


def _record(options: argparse.Namespace) -> None:
    wanted = {0.0: options.equal}
    for each in options.slower.split(","):
        percent, gates = each.split(":")
        wanted[float(percent) / 100] = int(gates)
    project = StudyProject(options.place / "project", tuple(share for share in wanted if share))
    end = now() + 60 * options.minutes
    for share, number in _missing(options.recordings, wanted):
        if now() > end:
            return
        commits = project.pair(share, number)
        record = gate(project.project.folder, commits, share, options.max_time)
        recordings.append(options.recordings, record)
        print(f"{commits}: {record.outcome}, {record.seconds:.0f} s", flush=True)


def _missing(path: Path, wanted: dict[float, int]) -> Iterator[tuple[float, int]]:
    """Each gate that is not recorded, by its truth and number.

    The truths take turns by their shares, so a study that ends early has some of each.
    """
    counts = dict.fromkeys(wanted, 0)
    for record in recordings.read(path):
        counts[record.share] = counts.get(record.share, 0) + 1
    while any(counts[share] < wanted[share] for share in wanted):
        share = min(wanted, key=lambda share: counts[share] / max(wanted[share], 1))
        yield share, counts[share]
        counts[share] += 1


if __name__ == "__main__":
    sys.exit(main())
