"""Conformance: whether a backend computes what it says, the worst error of each family of cases,
what it does not offer.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from ...agreement.status import Status
from ...testing.families import FAMILIES
from ...testing.kit import Conformance
from ...testing.verdicts import LawVerdict, Verdict
from ...wording import counted
from ...wording import listed as first_of
from ..quantity import digits
from ..section import Cell, Column, Section, Table, Tone, table
from ..words import listed

FIGURES = ("cases", "agree", "wrong", "unsupported")
Statuses = Counter[Status]


def conformance_section(result: Conformance) -> Section:
    """The cases of one arm by family, and its laws."""
    return Section(
        id="conformance",
        title=_outcome(result),
        tables=(_families(result),),
        conclusions=tuple(_unsupported(result)),
        doubts=(*wrongs(result.verdicts), *broken(result.laws)),
    )


def _outcome(result: Conformance) -> str:
    """Whether it keeps the protocol, and how much of it was asked."""
    cases = _by_case(result.verdicts)
    offered = {key: one for key, one in cases.items() if one is not Status.UNSUPPORTED}
    wrong = sum(not status.passes for status in offered.values())
    laws = [law for law in result.laws if law.status != "unsupported"]
    if not offered and not laws:
        return f"{result.arm} supports none of the cases."
    dtypes = listed(list(dict.fromkeys(verdict.dtype for verdict in result.verdicts)))
    parts = [f"{len(offered) - wrong} of {counted(len(offered), 'case')} agree in {dtypes}"]
    kept = len(laws) - len(result.broken)
    parts += [f"{kept} of {counted(len(laws), 'law')} kept"] if laws else []
    verdict = "does not conform" if wrong or result.broken else "conforms"
    return f"{result.arm} {verdict}: {', '.join(parts if dtypes else parts[1:])}."


def _by_case(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], Status]:
    """The worse of its two sides, by (element type, case)."""
    statuses: dict[tuple[str, str], Status] = {}
    order = list(Status)
    for verdict in verdicts:
        key = verdict.dtype, verdict.case
        statuses[key] = max(statuses.get(key, verdict.status), verdict.status, key=order.index)
    return statuses


def _families(result: Conformance) -> Table:
    """A row a family: how many cases agree, and the worst error over its allowance in each type."""
    dtypes = list(dict.fromkeys(verdict.dtype for verdict in result.verdicts))
    columns = [Column("family"), *(Column(name, number=True) for name in FIGURES)]
    columns += [Column(f"worst {dtype}", number=True, spare=1) for dtype in dtypes]
    statuses = _by_case(result.verdicts)
    body = []
    for family in dict.fromkeys(FAMILIES[verdict.case] for verdict in result.verdicts):
        of_family = [v for v in result.verdicts if FAMILIES[v.case] == family]
        keys = dict.fromkeys((verdict.dtype, verdict.case) for verdict in of_family)
        worst = [_worst(v for v in of_family if v.dtype == dtype) for dtype in dtypes]
        body.append([Cell(family), *_counts(Counter(statuses[key] for key in keys)), *worst])
    if result.laws:
        body.append([Cell("laws"), *_law_counts(result.laws), *[Cell()] * len(dtypes)])
    return table(columns, body)


def _counts(statuses: Statuses) -> list[Cell]:
    """Cells for `FIGURES`."""
    wrong = sum(count for status, count in statuses.items() if not status.passes)
    agree = statuses[Status.AGREES] + statuses[Status.UNDETERMINED]
    return _figures(statuses.total(), agree, wrong, statuses[Status.UNSUPPORTED])


def _law_counts(laws: Sequence[LawVerdict]) -> list[Cell]:
    statuses = Counter(law.status for law in laws)
    kept, unsupported = statuses["kept"], statuses["unsupported"]
    return _figures(len(laws), kept, len(laws) - kept - unsupported, unsupported)


def _figures(cases: int, agree: int, wrong: int, unsupported: int) -> list[Cell]:
    tone = Tone.BAD if wrong else Tone.PLAIN
    return [Cell(str(cases)), Cell(str(agree)), Cell(str(wrong), tone=tone), Cell(str(unsupported))]


def _worst(verdicts: Iterable[Verdict]) -> Cell:
    """The largest finite error over its allowance; nothing where none was compared."""
    ratios = [verdict.ratio for verdict in verdicts if math.isfinite(verdict.ratio)]
    worst = max(ratios, default=math.nan)
    tone = Tone.BAD if worst > 1 else Tone.PLAIN
    return Cell(digits(worst, 2) if ratios else "", tone=tone)


def wrongs(verdicts: Iterable[Verdict]) -> list[str]:
    """What does not pass, a line for each side.

    A case that raised does so on both and is named once.
    """
    lines: dict[tuple[str, str], str] = {}
    for v in verdicts:
        where = f"{v.arm} {v.case} {v.dtype}"
        if v.status.passes:
            continue
        if v.tensor:
            times = f" ({v.ratio:.3g} times the allowance)" if math.isfinite(v.ratio) else ""
            line = f"{where} {v.side}: {v.status}: {v.tensor}: {v.reason}{times}"
            lines[where, v.side] = line
        else:
            lines[where, v.reason] = f"{where}: {v.status}: {v.reason}"
    return list(lines.values())


def broken(laws: Iterable[LawVerdict]) -> list[str]:
    """Laws that are not kept, or could not be asked for, a line each."""
    return [
        f"{law.arm} {law.law} on {law.case}: {law.status}: {law.reason}"
        for law in laws
        if law.status not in ("kept", "unsupported")
    ]


def _unsupported(result: Conformance) -> list[str]:
    """Each reason for not supporting something once, with all that it is given for."""
    named: dict[str, dict[str, None]] = {}
    total = Counter(dtype for dtype, _ in _by_case(result.verdicts))
    for (reason, dtype, of), cases in _unsupported_cases(result).items():
        of_reason = named.setdefault(reason, {})
        named_cases = ["every case"] if len(cases) == total[dtype] else cases
        of_reason |= dict.fromkeys(f"{of}{case} ({dtype})" for case in named_cases)
    for v in result.verdicts:
        if v.without:
            named.setdefault(f"without {v.without}", {})[f"{v.side} of {v.case} ({v.dtype})"] = None
    for law in result.laws:
        if law.status == "unsupported":
            named.setdefault(law.reason, {})[law.law] = None
    return [f"unsupported: {reason}: {first_of(list(what))}" for reason, what in named.items()]


def _unsupported_cases(result: Conformance) -> dict[tuple[str, str, str], list[str]]:
    """Names of cases by (reason, element type, `gradient of ` where it is one side alone)."""
    sides: dict[tuple[str, str, str], list[str]] = {}
    for v in result.verdicts:
        if v.status is Status.UNSUPPORTED:
            sides.setdefault((v.reason, v.dtype, v.case), []).append(v.side)
    cases: dict[tuple[str, str, str], list[str]] = {}
    for (reason, dtype, case), of in sides.items():
        alone = f"{of[0]} of " if len(of) == 1 else ""
        cases.setdefault((reason, dtype, alone), []).append(case)
    return cases
