"""Record equal functions in real pytest sessions, simulate processes that differ, and write both
tables into docs/in_tests.md: `make alarms`.
"""

import argparse
import sys
from pathlib import Path

from . import page, recorded, simulated

DOCS = Path(__file__).parents[3] / "docs"


def main() -> int:
    options = _options()
    recordings = recorded.read(options.recordings)
    if options.tests:
        recordings = recorded.record(options.tests, options.recordings, print)
    counts = simulated.counts(options.simulate)
    print(page.write(options.docs / "in_tests.md", recordings, counts, options.simulate))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="alarms", description=__doc__)
    parser.add_argument(
        "--tests", type=int, default=20, help="assertions to record; 0 only counts (default 20)"
    )
    parser.add_argument(
        "--simulate", type=int, default=1000, help="assertions of each row (default 1000)"
    )
    parser.add_argument("--recordings", type=Path, default=recorded.FILE)
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
