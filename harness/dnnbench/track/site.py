"""A history as a folder of pages that need no server: an index, and a page for each workload."""

import re
import zlib
from pathlib import Path

from ..report.cells import arm_cell
from ..report.html import sections_page
from ..report.section import Cell, Column, Section, table
from ..report.writing import write_report
from ..wording import counted
from .history import History, Trend
from .outcome import chance, change_words, history_sections, trend_line, trend_section

INDEX = "index.html"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
COLUMNS = (
    Column("workload"),
    Column("cells", number=True),
    Column("change_points", number=True),
    Column("newest change point"),
)
ARMS = (Column("cell"), Column("arm"), Column("trend"))


def write_site(history: History, folder: str | Path) -> list[Path]:
    """Write the pages, the index first; StoreError where one cannot be written."""
    folder = Path(folder)
    backends = [trend.series.backend for trend in history.trends]
    origin = f"{history.machine.name}, {counted(len(history.runs), 'run')}"
    by_workload: dict[str, list[Trend]] = {}
    for trend in history.trends:
        by_workload.setdefault(trend.series.key.case.workload, []).append(trend)
    index = [history_sections(history)[0], _index(history, by_workload)]
    written = [
        write_report(
            folder / INDEX, sections_page("History", origin, index, backends, chance(history))
        )
    ]
    for workload, trends in by_workload.items():
        sections = [_cells(history, trends), *(trend_section(history, trend) for trend in trends)]
        text = sections_page(f"History of {workload}", origin, sections, backends, chance(history))
        written.append(write_report(folder / file_of(workload), text))
    return written


def file_of(workload: str) -> str:
    """The name of a workload's page: its own where that is a plain one, else with a digest."""
    plain = _UNSAFE.sub("-", workload)
    is_own = plain == workload and plain not in ("index", ".", "..") and not plain.startswith(".")
    digest = "" if is_own else f"-{zlib.crc32(workload.encode()):08x}"
    return f"{plain.lstrip('.')}{digest}.html"


def _index(history: History, by_workload: dict[str, list[Trend]]) -> Section:
    rows = []
    for workload, trends in by_workload.items():
        change_points = [
            change
            for change in history.change_points
            if change.series.key.case.workload == workload
        ]
        newest = change_words(history, change_points[0]) if change_points else ""
        link = Cell(workload, file=file_of(workload))
        rows.append((link, Cell(str(len(trends))), Cell(str(len(change_points))), Cell(newest)))
    return Section("workloads", "Workloads", tables=(table(COLUMNS, rows),))


def _cells(history: History, trends: list[Trend]) -> Section:
    """The trends of a workload in short, above their points."""
    rows = [
        (
            Cell(f"{trend.series.key.case} {trend.series.key.phase}"),
            arm_cell(trend.series.arm, trend.series.backend),
            Cell(trend_line(trend.series)),
        )
        for trend in trends
    ]
    back = table((Column("all workloads"),), [(Cell("index", file=INDEX),)])
    return Section("trends", "Trends", tables=(back, table(ARMS, rows)))
