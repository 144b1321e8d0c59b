"""The table of docs/gate.md."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from study.bounds import Count

from .gates import WORKLOADS, command
from .recordings import Cell, GateRecord

PAGE = Path(__file__).parents[3] / "docs" / "gate.md"
BEGIN, END = "<!-- commits -->", "<!-- end of commits -->"
_WRITTEN = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)


def write(path: Path, records: Sequence[GateRecord]) -> str:
    """Write the table between the marks of the page, and give it back."""
    text = text_of(records)
    path.write_text(_WRITTEN.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", path.read_text()))
    return text


def text_of(records: Sequence[GateRecord]) -> str:
    """All gates in one table, then each processor's cells: what a gate can see is the machine's."""
    if not records:
        return "Nothing is recorded yet."
    times = ", ".join(sorted({record.max_time for record in records}))
    called = f"`dnnbench {' '.join(command('PARENT..COMMIT', times))}`:"
    processors = dict.fromkeys(record.processor for record in records)
    parts = [called, "", *_gates(records)]
    for processor in processors:
        own = [record for record in records if record.processor == processor]
        parts += ["", _sitting(processor, own), "", *_cells(own)]
    return "\n".join(parts)


def _sitting(processor: str, records: Sequence[GateRecord]) -> str:
    dates = ", ".join(sorted({record.date for record in records}))
    loads = sorted(record.load for record in records)
    seconds = sorted(record.seconds for record in records)
    middle = len(records) // 2
    return (
        f"{len(records)} gates on {dates}; processor {processor}, two shared cores; load before a "
        f"gate {loads[middle]:.1f} (median).\nA gate took {seconds[middle]:.0f} s (median), with "
        "the environments that it made."
    )


def _gates(records: Sequence[GateRecord]) -> list[str]:
    lines = ["| the commit is | gates | SLOWER | PASS | others |", "|---|---|---|---|---|"]
    for share, chosen in _by_share(records):
        outcomes = Counter(record.outcome for record in chosen)
        slower = Count(outcomes.pop("SLOWER", 0), len(chosen))
        passed = outcomes.pop("PASS", 0)
        others = ", ".join(f"{count} {word}" for word, count in outcomes.most_common()) or "none"
        lines.append(
            f"| {_truth(share)} | {len(chosen)} | {_limit(slower, share)} | {passed} | {others} |"
        )
    return lines


def _cells(records: Sequence[GateRecord]) -> list[str]:
    lines = [
        "| cell | the commit is | flagged by the screen | confirmed slower | median of the screens "
        "| could see (median) | INCONCLUSIVE |",
        "|---|---|---|---|---|---|---|",
    ]
    for workload in WORKLOADS:
        for phase in ("infer", "train_step"):
            for share, chosen in _by_share(records):
                cells = [
                    cell
                    for record in chosen
                    for cell in record.cells
                    if (cell.workload, cell.phase) == (workload, phase)
                ]
                if cells:
                    lines.append(f"| {workload} {phase} | {_truth(share)} | {_row(cells, share)} |")
    return lines


def _row(cells: Sequence[Cell], share: float) -> str:
    outcomes = Counter(cell.outcome for cell in cells)
    flagged = sum(cell.confirmed is not None for cell in cells)
    screens = sorted(cell.screen for cell in cells)
    sees = sorted(cell.sees for cell in cells if cell.sees is not None)
    parts = (
        f"{flagged} of {len(cells)}",
        _limit(Count(outcomes["SLOWER"], len(cells)), share),
        f"{screens[len(screens) // 2]:.3f}",
        f"{sees[len(sees) // 2]:.1%}" if sees else "-",
        str(outcomes["INCONCLUSIVE"]),
    )
    return " | ".join(parts)


def _limit(slower: Count, share: float) -> str:
    return slower.at_least() if share else slower.at_most()


def _truth(share: float) -> str:
    return f"slower by {share:.0%}".replace("%", " %") if share else "equal"


def _by_share(records: Sequence[GateRecord]) -> list[tuple[float, list[GateRecord]]]:
    shares = sorted({record.share for record in records})
    return [(share, [each for each in records if each.share == share]) for share in shares]
