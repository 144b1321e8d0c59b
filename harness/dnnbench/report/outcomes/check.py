"""A check: whether all arms compute the same, the worst error of each, every kind of tensor."""

from collections.abc import Sequence

from ...agreement.check import Kind
from ...agreement.status import Status
from ...execution.agreement_rows import AgreementRow, undetermined, unproven, worst_rows
from ...wording import counted
from ...wording import listed as first_of
from ..agreement_words import agreement_sentence, times
from ..cells import arm_cell
from ..quantity import MISSING
from ..section import Cell, Column, Section, Table, Tone, table

KINDS = ("outputs", "loss", "gradients", "state", "weights", "slots")
"""Columns of the matrix: kinds of tensor, those after one and five steps together."""
SPARED_KINDS = {"state": 1, "slots": 2, "loss": 3}
PLACE = (Column("workload", once=True), Column("arm"), Column("type"))
TITLE = "Worst error over its allowance; up to 1 agrees"
Place = tuple[str, str, str]
"""(workload, arm, element type)"""


def check_sections(
    rows: Sequence[AgreementRow], explanations: Sequence[str] = (), compared: Sequence[str] = ()
) -> list[Section]:
    """explanations: what is wrong with arms that differ, a sentence each
    compared: what was compared of each workload, and what was left out
    """
    outcome = Section(
        id="check",
        title=_outcome(rows),
        tables=(_by_arm(rows),) if rows else (),
        conclusions=(*explanations, *compared),
        doubts=tuple(_doubts(rows)),
    )
    details = Section(
        id="check-tensors",
        title="Every kind of tensor, and the worst one",
        tables=(_matrix(rows), _worst_tensors(rows)),
    )
    return [outcome, details] if rows else [outcome]


def _outcome(rows: Sequence[AgreementRow]) -> str:
    """Of all arms; those that do not pass by name."""
    if not rows:
        return "Nothing was checked."
    worst = _worst_by_arm(rows)
    wrong = [f"{arm} ({row.status})" for arm, row in worst.items() if not row.status.passes]
    if not wrong:
        return agreement_sentence(rows)
    who = f"{len(wrong)} of {counted(len(worst), 'arm')}"
    is_are = "is" if len(wrong) == 1 else "are"
    return f"{who} {is_are} not proven to compute the same network: {first_of(wrong)}."


def _doubts(rows: Sequence[AgreementRow]) -> list[str]:
    """Why an arm does not pass, what no arm is judged by, what an arm does not offer."""
    wrong = [f"{arm} on {name} {why.sentence}" for (arm, name), why in unproven(rows).items()]
    unsupported = [row for row in rows if row.status is Status.UNSUPPORTED]
    reasons = dict.fromkeys(f"unsupported: {row.agreement.reason}" for row in unsupported)
    return [*wrong, *undetermined(rows), *reasons]


def _by_arm(rows: Sequence[AgreementRow]) -> Table:
    """A row an arm, its worst error in each type, over all workloads."""
    dtypes = list(dict.fromkeys(row.dtype for row in rows))
    columns = [Column("arm"), Column("result")]
    columns += [Column(dtype, number=True) for dtype in dtypes]
    columns.append(Column("worst tensor", prose=True, spare=1))
    body = []
    for arm, worst in _worst_by_arm(rows).items():
        of_type = [_worst(rows, arm, dtype) for dtype in dtypes]
        cells = [Cell() if row is None else _ratio_cell(row) for row in of_type]
        body.append([_arm(arm), _status_cell(worst.status), *cells, Cell(_tensor(worst))])
    return table(columns, body, title=TITLE)


def _worst_by_arm(rows: Sequence[AgreementRow]) -> dict[str, AgreementRow]:
    """In the order in which the arms were checked."""
    worst: dict[str, AgreementRow] = {}
    for row in rows:
        worst[row.arm] = _worse(worst.get(row.arm), row)
    return worst


def _worst(rows: Sequence[AgreementRow], arm: str, dtype: str) -> AgreementRow | None:
    here = [row for row in rows if (row.arm, row.dtype) == (arm, dtype)]
    return max(here, key=lambda row: row.badness, default=None)


def _tensor(row: AgreementRow) -> str:
    """Which it is, of which network."""
    agreement = row.agreement
    named = f"{agreement.kind} {agreement.tensor}".strip() if agreement.tensor else ""
    return f"{named} of {row.workload}" if named else row.workload


def _matrix(rows: Sequence[AgreementRow]) -> Table:
    """The worst ratio to the allowance by workload, arm and type, for each kind of tensor."""
    kinds = [Column(kind, number=True, spare=SPARED_KINDS.get(kind, 0)) for kind in KINDS]
    worst_of: dict[Place, dict[str, AgreementRow]] = {}
    for row in rows:
        worst = worst_of.setdefault((row.workload, row.arm, row.dtype), {})
        kind = Kind.parse(row.agreement.kind).name
        worst[kind] = _worse(worst.get(kind), row)
    body = [[*_place(*place), *_of_kinds(worst)] for place, worst in worst_of.items()]
    return table((*PLACE, *kinds), body, title=TITLE)


def _of_kinds(worst: dict[str, AgreementRow]) -> list[Cell]:
    """A cell for each of `KINDS`; the status in the first where there is none of them."""
    if any(kind in worst for kind in KINDS):
        return [_ratio_cell(worst[kind]) if kind in worst else Cell() for kind in KINDS]
    only = max(worst.values(), key=lambda row: row.badness)
    return [_ratio_cell(only), *[Cell()] * (len(KINDS) - 1)]


def _worst_tensors(rows: Sequence[AgreementRow]) -> Table:
    """The worst tensor for each arm, workload and element type."""
    columns = (
        *PLACE,
        Column("result"),
        Column("ratio", number=True),
        Column("of", spare=2),
        Column("tensor", spare=1),
    )
    return table(columns, [_worst_row(row) for row in worst_rows(rows)], title="The worst tensor")


def _worst_row(row: AgreementRow) -> list[Cell]:
    agreement = row.agreement
    of = f"{agreement.kind if agreement.tensor else ''} {agreement.optimizer}".strip()
    place = _place(row.workload, row.arm, row.dtype)
    return [*place, _status_cell(row.status), *map(Cell, (times(row), of, agreement.tensor))]


def _place(workload: str, arm: str, dtype: str) -> list[Cell]:
    return [Cell(workload), _arm(arm), Cell(dtype)]


def _arm(arm: str) -> Cell:
    return arm_cell(arm, arm.partition(":")[0])


def _worse(one: AgreementRow | None, other: AgreementRow) -> AgreementRow:
    """The first of two that are as bad as each other."""
    return other if one is None else max(one, other, key=lambda row: row.badness)


def _status_cell(status: Status) -> Cell:
    """In words: a reader of one colour, or of none, is told the same."""
    tones = {Status.AGREES: Tone.GOOD, Status.UNSUPPORTED: Tone.QUIET}
    tone = tones.get(status, Tone.QUIET if status.passes else Tone.BAD)
    return Cell(status, tone=tone)


def _ratio_cell(row: AgreementRow) -> Cell:
    """The ratio, or the status where there is none."""
    quiet = Tone.PLAIN if row.status is Status.AGREES else Tone.QUIET
    ratio = times(row)
    text = str(row.status) if ratio == MISSING else ratio
    return Cell(text, tone=quiet if row.status.passes else Tone.BAD)
