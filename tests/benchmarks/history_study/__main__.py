"""Count what is asked for, keep it, and write docs/proof_history.md: `make history-study`."""

import argparse
import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dnnbench.host.machine import cpu_model, cpu_signature
from dnnbench.stats.change_limits import LEAST_POINTS, LEAST_SIDE, WINDOW

from . import counting, sittings
from .beside import OUTSIDE, beside
from .page import write
from .recorded_parts import recorded_parts

KEPT = Path(__file__).with_name("recorded.json")
PARTS = ("parts", "sittings", "equal", "found", "placed", "drifted", "beside")


def main() -> None:
    options = _options()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    interpreters = dict(zip(OUTSIDE, (options.asv, options.otava), strict=True))
    count = options.series
    makers = {
        "parts": lambda: [asdict(part) for part in recorded_parts()],
        "sittings": lambda: sittings.rows(sittings.read()),
        "equal": lambda: counting.equal(count),
        "found": lambda: counting.found(min(count, 2000)),
        "placed": lambda: counting.placed(min(count, 300)),
        "drifted": lambda: counting.drifted(min(count, 300)),
        "beside": lambda: beside(
            min(count, 300), {k: v for k, v in interpreters.items() if v}, options.outside
        ),
    }
    for name in filter(None, options.only.split(",")):
        kept[name] = {"rows": makers[name](), **_origin()}
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    print(write(kept))


def _origin() -> dict[str, Any]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "rule": [WINDOW, LEAST_POINTS, LEAST_SIDE],
        "processor": f"{cpu_model()}, {cpu_signature()}",
        "versions": f"python {platform.python_version()}, numpy {version('numpy')}, "
        f"ruptures {version('ruptures')}",
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="history_study", description=__doc__)
    parser.add_argument(
        "--only", default=",".join(PARTS), help="what to count anew; '' only writes the page"
    )
    parser.add_argument("--series", type=int, default=200_000, help="equal series of each kind")
    parser.add_argument("--outside", type=int, default=100, help="series that outside tools see")
    parser.add_argument("--asv", default="", help="a Python that has asv")
    parser.add_argument("--otava", default="", help="a Python that has apache-otava")
    return parser.parse_args()


if __name__ == "__main__":
    main()
