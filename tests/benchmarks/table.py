"""The figures of docs/speed.md as Markdown: `python tests/benchmarks/table.py FILE...`

FILE: what `--benchmark-json FILE` wrote.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

from dnnbench.spec.phases import PHASES

Row = list[str]
MOST_COLUMNS, COLUMNS = 160, 132
"""Of a line of prose in a document, and of one that is filled anew."""


def filled(text: str) -> str:
    """A page whose figures made some lines of prose too long, on several lines each."""
    return "\n".join(map(_filled, text.split("\n")))


def _filled(line: str) -> str:
    if len(line) <= MOST_COLUMNS or line.startswith(("|", " ")):
        return line
    below = "  " if line.startswith("- ") else ""
    return fill(
        line, COLUMNS, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    )


def load(paths: Iterable[str]) -> list[dict]:
    """The benchmarks of several sittings together."""
    return [
        benchmark
        for path in paths
        for benchmark in json.loads(Path(path).read_text())["benchmarks"]
    ]


def ratio_rows(benchmarks: list[dict]) -> list[Row]:
    """A row for each arm and workload: dnnbench's time over the handwritten network's
    in each phase.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in benchmarks:
        if "ratio" in one["extra_info"]:
            where = one["params"]["arm"], one["params"]["workload"]
            found.setdefault(where, {})[one["params"]["phase"]] = _ratio(**one["extra_info"])
    return [
        [*where, *(ratios.get(phase, "") for phase in PHASES)] for where, ratios in found.items()
    ]


def _ratio(ratio: float, low: float, high: float, **_rest) -> str:
    return f"{ratio:.3f} ({low:.3f} to {high:.3f})"


def script_rows(benchmarks: list[dict]) -> list[Row]:
    """A row for each arm and workload: dnnbench's time over its script's in each phase."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for one in benchmarks:
        facts = one["extra_info"]
        if "script_ratio" in facts:
            where = one["params"]["arm"], one["params"]["workload"]
            shown = f"{facts['script_ratio']:.3f} ({facts['low']:.3f} to {facts['high']:.3f})"
            rows.setdefault(where, {})[one["params"]["phase"]] = shown
    return [[*where, ratios.get("infer", ""), ratios.get("train_step", "")]
            for where, ratios in rows.items()]  # fmt: skip


def time_rows(benchmarks: list[dict]) -> list[Row]:
    """A row for each arm and workload: median microseconds a call of the handwritten network."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in benchmarks:
        if "ratio" in one["extra_info"] and one["params"]["side"] == "handwritten":
            where = one["params"]["arm"], one["params"]["workload"]
            found.setdefault(where, {})[one["params"]["phase"]] = (
                f"{1e6 * one['stats']['median']:.1f}"
            )
    return [[*where, *(times.get(phase, "") for phase in PHASES)] for where, times in found.items()]


def harness_rows(benchmarks: list[dict]) -> list[Row]:
    """A row for each figure of the harness itself."""
    ratios = ("ratio", "script_ratio")
    rest = [one for one in benchmarks if not any(name in one["extra_info"] for name in ratios)]
    return [
        [one["group"], one["param"] or "", _seconds(one["stats"]["median"]), _share(one)]
        for one in rest
    ]


def _seconds(value: float) -> str:
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def _share(one: dict) -> str:
    share = one["extra_info"].get("share")
    return "" if share is None else f"{share:.0%} of it in visits"


def markdown(heading: Row, rows: list[Row]) -> str:
    """A table, or nothing where there are no rows."""
    if not rows:
        return ""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main(paths: list[str]) -> None:
    benchmarks = load(paths)
    print(markdown(["arm", "workload", *PHASES], ratio_rows(benchmarks)))
    print(
        markdown(["arm", "workload", *(f"{phase}, µs" for phase in PHASES)], time_rows(benchmarks))
    )
    print(markdown(["arm", "workload", "infer", "train_step"], script_rows(benchmarks)))
    print(markdown(["what", "case", "median", ""], harness_rows(benchmarks)))


if __name__ == "__main__":
    main(sys.argv[1:])
