"""From nothing to the first result: import, build and first call, and who overtakes whom."""

from ..builders import Builder
from ..cells import arm_cell, case_cell, figure, phase_cell
from ..evidence import Evidence
from ..quantity import seconds
from ..section import Cell, Column, Section, table
from ..starts import Start

COLUMNS = (
    Column("workload", once=True),
    Column("first", once=True),
    Column("arm"),
    Column("caches", spare=3),
    Column("import", number=True, spare=1),
    Column("build", number=True, spare=2),
    Column("first call", number=True, spare=4),
    Column("together", number=True),
)
LEAD = (
    "From an empty process to the first training step or inference. Compile caches: empty in the "
    "first generation of a run with --cold-start, warm after a generation that compiled the same, "
    "as found where one generation was all. A phase is called first after those before it, and "
    "does not pay again for what they set up."
)


def first_result(evidence: Evidence) -> Section | None:
    """None where no first call was recorded."""
    starts = evidence.starts
    if not starts:
        return None
    return Section(
        id="starts",
        title="To the first result",
        sentences=(_quickest(starts), *(one.sentence for one in evidence.break_evens)),
        tables=(table(COLUMNS, [_row(evidence, start) for start in starts]),),
        lead=LEAD,
        brief="import, build, first call; compile caches",
        data={"starts": [start.to_json() for start in starts]},
    )


def _quickest(starts: list[Start]) -> str:
    first, last = (choose(starts, key=lambda s: s.total_s) for choose in (min, max))
    begin, end = (f"{seconds(start.total_s)} ({start.arm})" for start in (first, last))
    return f"The first result comes after {begin if begin == end else f'{begin} to {end}'}"


def _row(evidence: Evidence, start: Start) -> tuple[Cell, ...]:
    times = (start.import_s, start.build_s, start.first_call_s, start.total_s)
    return (
        case_cell(start.workload, start.batch_size),
        phase_cell(start.phase),
        arm_cell(start.arm, evidence.backend_of(start.arm)),
        Cell(start.caches),
        *(figure(value_s, seconds) for value_s in times),
    )


BUILDER = Builder(75, first_result)
