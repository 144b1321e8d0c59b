"""Record for so many minutes, then replay everything that is recorded and write the page:
`make study`.
"""

import argparse
import sys
from pathlib import Path

from dnnbench.errors import DnnbenchError, UsageError
from dnnbench.host.lock import machine_lock

from . import page, recordings
from .kinds import KINDS, Kind
from .sitting import sit

DOCS = Path(__file__).parents[3] / "docs"


def main() -> int:
    options = _options()
    try:
        if options.minutes > 0:
            with machine_lock(wait_s=options.wait):
                _record(options)
    except DnnbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    trials = recordings.read(options.recordings)
    print(page.write(trials, options.docs, recordings.size_bytes(options.recordings)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="study", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=15, help="of this sitting; 0 only replays (default 15)"
    )
    parser.add_argument(
        "--kinds", default="same,quick", help=f"in turn, of {', '.join(KINDS)} (default same,quick)"
    )
    parser.add_argument(
        "--recordings", type=Path, default=recordings.FOLDER, help="folder of the sittings"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the page")
    parser.add_argument(
        "--wait", type=float, default=0, help="seconds to wait for another dnnbench (default 0)"
    )
    return parser.parse_args()


def _record(options: argparse.Namespace) -> None:
    """A sitting; Ctrl-C ends it and goes on with what is whole."""
    try:
        kept = sit(_kinds(options.kinds), options.minutes, options.recordings, print)
        print(f"{kept} trials kept")
    except KeyboardInterrupt:
        print("interrupted: the whole trials are kept")


def _kinds(names: str) -> list[Kind]:
    if unknown := [name for name in names.split(",") if name not in KINDS]:
        raise UsageError(f"--kinds {names}: no kind '{unknown[0]}'; choose of {', '.join(KINDS)}")
    return [KINDS[name] for name in names.split(",")]


if __name__ == "__main__":
    sys.exit(main())
