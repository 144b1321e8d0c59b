"""The fairness audit: what each arm really had, and what benches say against themselves."""

from collections.abc import Sequence

from ...execution.facts import AuditLine
from ..builders import Builder
from ..evidence import Evidence
from ..section import Cell, Column, Section, Table, Tone, table

LEAD = (
    "What each arm really had. Lines in bold must be equal for arms to be ranked together; the "
    "others are shown so that you can judge."
)
CLEAN = (
    "Self-audit: time grows with the calls, waits wait, answers follow their inputs, and nothing "
    "was compiled after warming up, in every program."
)


def fairness(evidence: Evidence) -> Section | None:
    """None where no generation audited anything."""
    if not evidence.facts.fairness and not evidence.doubts:
        return None
    unequal = _unequal(evidence)
    tables = [_table(str(case), lines) for case, lines in evidence.facts.fairness.items()]
    return Section(
        id="fairness",
        title="Fairness audit",
        sentences=() if evidence.doubts else (CLEAN,),
        tables=tuple(tables),
        doubts=(*evidence.doubts, *unequal),
        lead=LEAD,
        brief="what must be equal, and what each arm had",
    )


def _unequal(evidence: Evidence) -> list[str]:
    """Lines that differ between arms and must not."""
    differing = [
        (case, line)
        for case, lines in evidence.facts.fairness.items()
        for line in lines
        if line.must_match and not line.equal
    ]
    return [f"{case}: {line.what} differs: {_values(line)}" for case, line in differing]


def _values(line: AuditLine) -> str:
    return ", ".join(f"{arm} {value}" for arm, value in line.values.items())


def _table(case: str, lines: Sequence[AuditLine]) -> Table:
    """Arms that any line has a value of have a column."""
    arms = list(dict.fromkeys(arm for line in lines for arm in line.values))
    columns = (Column("what"), *(Column(arm) for arm in arms), Column("equal"))
    rows = [_row(line, arms) for line in lines]
    return table(columns, rows, title=case, folded=True)


def _row(line: AuditLine, arms: Sequence[str]) -> tuple[Cell, ...]:
    tone = Tone.STRONG if line.must_match else Tone.PLAIN
    values = [Cell(str(line.values.get(arm, "not told"))) for arm in arms]
    return (Cell(line.what, tone=tone), *values, Cell("yes" if line.equal else "no"))


BUILDER = Builder(100, fairness)
