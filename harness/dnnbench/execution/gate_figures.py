"""Figures of a candidate's cells beside their bases', and what else may explain that one is faster:
read from the store of the run that screened.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ..protocol.arm import Arm, twin_of
from ..protocol.figures import FigureKind
from ..protocol.keys import CellKey
from ..stats.figures import (
    FEWEST_PROCESSES,
    Change,
    change_by_equality,
    change_by_threshold,
    is_constant,
)
from ..stats.verdict import Verdict
from ..store.figure_rows import FigureRow, figure_rows
from ..store.frames import records
from ..store.run_rows import CellRow, cell_rows
from ..store.store import Store
from .agreement_rows import AgreementRow, agreement_rows
from .compared_figures import ComparedFigure
from .facts import GenerationFacts
from .gate_cells import GateCell
from .gate_policy import GatePolicy
from .measured import facts_of


@dataclass(frozen=True)
class Counts:
    """What a gate reads of its screening run besides times."""

    cells: Sequence[CellRow]
    """Of every arm, the base's twin among them."""
    figures: Mapping[str, Sequence[FigureRow]]
    """By cell_id."""
    facts: GenerationFacts
    """Of the first generation."""
    agreement: Sequence[AgreementRow]
    base: str
    """Name of the run's base."""

    @property
    def twin(self) -> str:
        """Name of the base's twin, whether or not there is one."""
        return twin_of(self.base)


def read_counts(store: Store, run_id: str, base: str) -> Counts:
    """Of one run; empty where it did not count."""
    rows = cell_rows(store.cells(run_id), twin_of(base))
    figures: dict[str, list[FigureRow]] = {}
    for row in figure_rows(store.figures(run_id)):
        figures.setdefault(row.cell_id, []).append(row)
    facts = facts_of(rows, [row["facts"] for row in records(store.generations(run_id))][:1])
    return Counts(
        rows,
        figures,
        facts[0] if facts else GenerationFacts(),
        agreement_rows(records(store.agreement(run_id))),
        base,
    )


def with_counts(
    cells: Iterable[GateCell], counts: Counts, policy: GatePolicy
) -> tuple[GateCell, ...]:
    """The cells with their figures, with what differs between the networks of the two sides, and
    marked where nothing explains that they are faster.
    """
    return tuple(_with_counts(cell, counts, policy) for cell in cells)


def _with_counts(cell: GateCell, counts: Counts, policy: GatePolicy) -> GateCell:
    in_place = _in_place(cell.key, counts)
    mine, base = in_place.get(cell.arm), in_place.get(cell.base)
    if mine is None or base is None:
        return cell
    figures = _compared(mine, base, counts, policy)
    counted = replace(cell, figures=figures, networks=_networks(mine, base))
    return replace(counted, is_unexplained=_is_unexplained(counted, base, counts))


def _in_place(key: CellKey, counts: Counts) -> dict[str, CellRow]:
    """Every cell of the case and phase, by the arm's name."""
    rows = [row for row in counts.cells if (row.case, row.phase) == (key.case, key.phase)]
    return {row.arm: row for row in rows}


def _networks(mine: CellRow, base: CellRow) -> str:
    """What differs between the two sides' networks, by the spec; empty where they are one."""
    if mine.spec_hash == base.spec_hash:
        return ""
    flops = f", {mine.flops:,} FLOP against {base.flops:,}" if mine.flops and base.flops else ""
    hashes = f"{mine.spec_hash[:10]} against {base.spec_hash[:10]}"
    return f"different networks: {hashes}{flops}, each checked against its own reference"


def _compared(
    mine: CellRow, base: CellRow, counts: Counts, policy: GatePolicy
) -> tuple[ComparedFigure, ...]:
    twin = _in_place(mine.key, counts).get(counts.twin) if base.arm == counts.base else None
    of_base = [*counts.figures.get(base.cell_id, ())]
    of_base += counts.figures.get(twin.cell_id, ()) if twin else ()
    of_mine = counts.figures.get(mine.cell_id, ())
    names = dict.fromkeys(row.figure for row in (*of_base, *of_mine))
    objection = _objection(mine.key.arm, base.key.arm, counts)
    return tuple(
        replace(
            _one(name, _named(of_base, name), _named(of_mine, name), objection),
            is_named=policy.names_figure(name),
        )
        for name in names
    )


def _named(rows: Iterable[FigureRow], name: str) -> list[FigureRow]:
    return [row for row in rows if row.figure == name]


def _one(
    name: str, of_base: Sequence[FigureRow], of_mine: Sequence[FigureRow], objection: str
) -> ComparedFigure:
    base, mine = _values(of_base), _values(of_mine)
    rows = (*of_base, *of_mine)
    unit = next((row.unit for row in rows if row.unit), "")
    if not base or not mine:
        reasons = [row.reason for row in rows if row.reason]
        missing = "of the base" if not base else "of the candidate"
        why = reasons[0] if reasons else f"{missing} there is no such figure"
        return ComparedFigure(name, unit, _middle(base), _middle(mine), Change.UNDECIDED, why)
    announced = all(row.figure_kind is FigureKind.DETERMINISTIC for row in rows)
    is_deterministic = announced and is_constant(base) and is_constant(mine)
    if is_deterministic and objection:
        return ComparedFigure(name, unit, base[0], mine[0], Change.UNDECIDED, objection)
    if is_deterministic:
        change = change_by_equality(base[0], mine[0])
        return ComparedFigure(name, unit, base[0], mine[0], change, is_deterministic=True)
    change = change_by_threshold(base, mine)
    why = "differs from process to process, so it is held against a threshold" if announced else ""
    if change is Change.UNDECIDED:
        counted = f"{len(base)} processes of the base and {len(mine)} of the candidate"
        why = f"counted in {counted}; a counted figure takes {FEWEST_PROCESSES} of each"
    return ComparedFigure(name, unit, _middle(base), _middle(mine), change, why)


def _values(rows: Iterable[FigureRow]) -> list[float]:
    return [row.value for row in rows if row.value is not None]


def _middle(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _objection(arm: Arm, base: Arm, counts: Counts) -> str:
    """Why deterministic figures of two arms may differ without a reason in the candidate."""
    if replace(arm, environment="", shown=()) != replace(base, environment="", shown=()):
        return "the arms differ in more than their environment"
    mine, bases = _versions(arm, counts), _versions(base, counts)
    changed = [
        f"{name} {bases.get(name, 'none')} and {mine.get(name, 'none')}"
        for name in {**bases, **mine}
        if bases.get(name) != mine.get(name)
    ]
    return f"the versions differ: {', '.join(changed)}" if changed else ""


def _versions(arm: Arm, counts: Counts) -> dict[str, str]:
    """Without what stands behind a '+', which names a build."""
    versions = counts.facts.versions.get(arm, {})
    return {name: str(version).partition("+")[0] for name, version in versions.items()}


def _is_unexplained(cell: GateCell, base: CellRow, counts: Counts) -> bool:
    """Whether a cell is faster for certain while all that was counted, the agreement with the
    reference, the versions and the network are those of its base.
    """
    if cell.outcome.verdict is not Verdict.FASTER or not cell.answered or cell.networks:
        return False
    changes = {figure.change for figure in cell.figures}
    proven = any(f.is_deterministic and f.change is Change.EQUAL for f in cell.figures)
    if not proven or changes & {Change.MORE, Change.FEWER}:
        return False
    return not _objection(cell.key.arm, base.key.arm, counts) and _agrees_alike(cell, base, counts)


def _agrees_alike(cell: GateCell, base: CellRow, counts: Counts) -> bool:
    """Whether both sides were checked, and lie equally far from the reference in every tensor."""
    mine, bases = (_distances(name, cell.case.workload, counts) for name in (cell.arm, base.arm))
    return bool(mine) and mine == bases


def _distances(arm: str, workload: str, counts: Counts) -> set[tuple[str, ...]]:
    """How far an arm lies from the reference, by what was compared."""
    checks = [
        (row.dtype, row.agreement)
        for row in counts.agreement
        if (row.arm, row.workload) == (arm, workload)
    ]
    return {
        (dtype, check.kind, check.optimizer, check.status, str(check.ratio))
        for dtype, check in checks
    }
