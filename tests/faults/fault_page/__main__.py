"""Run planted faults and honest checks that are not recorded yet, for so many minutes, and write
the page: `make faults`.
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import helpers.faulty
from dnnbench.errors import DnnbenchError
from helpers.installing import installed_here

from . import page, plan, recorded
from .kinds import kind_of
from .recorded import Recorded

DOCS = Path(__file__).parents[3] / "docs"


def main() -> int:
    options = _options()
    rows = recorded.read(options.recorded)
    try:
        if options.minutes > 0:
            rows = _sitting(options, rows)
    except DnnbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(page.write(rows, options.docs))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fault_page", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=15, help="of this sitting; 0 only writes (default 15)"
    )
    parser.add_argument(
        "--backend", default="numpy,torch,tensorflow,jax", help="in turn (default all four)"
    )
    parser.add_argument(
        "--only",
        choices=(plan.PLANTED, plan.KIT, plan.HONEST),
        help="planted faults, those that the kit is asked about, or honest checks alone",
    )
    parser.add_argument(
        "--kind", default="", help="planted faults alone whose kind begins so, as `stranger`"
    )
    parser.add_argument(
        "--again", action="store_true", help="what is recorded already, too, from the start"
    )
    parser.add_argument(
        "--recorded", type=Path, default=recorded.FILE, help="file of what checks came to"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the page")
    return parser.parse_args()


def _sitting(options: argparse.Namespace, rows: list[Recorded]) -> list[Recorded]:
    """Rows that were there, and those of this sitting; Ctrl-C ends it and keeps what is whole."""
    from . import running

    def keep(fresh: list[Recorded]) -> None:
        recorded.add(fresh, options.recorded)

    with TemporaryDirectory() as folder, installed_here(helpers.faulty.HERE):
        # Nothing that a faulty worker compiles is kept, or another's.
        os.environ["DNNBENCH_CACHE"] = str(Path(folder) / "cache")
        try:
            made = running.run(_wanted(options, rows), options.minutes, keep, print)
            print(f"{made} checks made")
        except KeyboardInterrupt:
            print("interrupted: what was made is kept")
    return recorded.read(options.recorded)


def _wanted(options: argparse.Namespace, rows: list[Recorded]) -> list[plan.Planned]:
    """Checks that are not recorded with the versions that are installed; backends in turn."""
    from . import running

    have = recorded.latest(rows)
    wanted = []
    for backend in options.backend.split(","):
        for check in (*plan.planted(), *plan.kit(), *plan.honest()):
            chosen = (
                check.backend == backend
                and options.only in (None, check.what)
                and _is_of_kind(check, options.kind)
            )
            row = have.get(check)
            current = row is not None and row.versions == running.versions(backend)
            if chosen and (options.again or not current):
                wanted.append(check)
    return wanted


def _is_of_kind(check: plan.Planned, start: str) -> bool:
    if not start:
        return True
    return check.what != plan.HONEST and kind_of(plan.fault_of(check)).startswith(start)


if __name__ == "__main__":
    sys.exit(main())
