"""docs/faults.md: every figure in it is counted from the recorded rows."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from dnnbench_faults.every import STRANGERS, UNCHECKED_FAULTS
from dnnbench_faults.names import named_of
from dnnbench_faults.strangers import Stranger
from table import filled, markdown

from .counting import Fault, Of, by_kind, faults, honest, mildest, planted_of_kind
from .plan import Planned, kit, planted
from .plan import honest as honest_checks
from .recorded import NOW, Recorded, latest

TEMPLATE = Path(__file__).with_name("template.md")
EMPTY_LINES = re.compile(r"\n{3,}")


def write(rows: Sequence[Recorded], folder: Path) -> Path:
    """Write the page; its path."""
    path = folder / "faults.md"
    path.write_text(text_of(rows))
    return path


def text_of(rows: Sequence[Recorded]) -> str:
    """The page."""
    now = latest(rows)
    counted = faults(now)
    parts = {
        "recorded": _recorded(rows),
        "answer": _answer(counted, honest(rows)),
        "strangers": str(len(STRANGERS)),
        "kinds": _kinds(counted),
        "unchecked": str(len(UNCHECKED_FAULTS)),
        "codes": "; ".join(f"`{code}` {words}" for code, words in CODES.items()),
        "before": _before(rows, now),
        "missed": _missed(counted),
        "only_by_the_kit": _only_by_the_kit(counted),
        "missed_strangers": _missed_strangers(counted),
        "misnamed": _misnamed(counted),
        "honest": _honest(honest(rows)),
        "not_run": _not_run(now),
    }
    stripped = {name: part.rstrip() for name, part in parts.items()}
    text = EMPTY_LINES.sub("\n\n", TEMPLATE.read_text().format(**stripped))
    return filled(text)


def _recorded(rows: Sequence[Recorded]) -> str:
    of_now = [row for row in rows if row.code == NOW]
    if not of_now:
        return "Nothing is recorded yet."
    days = sorted({row.date for row in of_now})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    versions = sorted({name for row in of_now for name in row.versions.split()})
    return f"Recorded so far: {len(of_now)} checks, {span}; {', '.join(versions)}."


def _answer(counted: Sequence[Fault], quiet: Sequence[Recorded]) -> str:
    own = [one for one in counted if not isinstance(one.fault, Stranger)]
    strange = [one for one in counted if isinstance(one.fault, Stranger)]
    total = sum(planted_of_kind().values()) - len(STRANGERS)
    named, known = _named(own)
    alarms = Of(sum(row.differs for row in quiet), len(quiet))
    either = Of(sum(one.caught or one.only_by_the_kit for one in strange), len(strange))
    return "\n".join(
        (
            f"- planted: {total} faults, {len(own)} of them run",
            f"- caught: {_caught(own)}",
            f"- the right part named: {named.at_least}; the known fault too: {known.at_least}",
            f"- of strangers: {len(STRANGERS)} faults, {len(strange)} of them run; "
            f"caught by a check: {_caught(strange)}, by a check or the kit: {either.at_least}; "
            f"the right part named: {_named(strange)[0].at_least}",
            f"- alarms of honest checks: {alarms.at_most}",
        )
    )


def _caught(counted: Sequence[Fault]) -> str:
    return Of(sum(one.caught for one in counted), len(counted)).at_least or "not yet run"


def _named(counted: Sequence[Fault]) -> tuple[Of, Of]:
    """(right part, known fault), of the caught ones; the second of those that have one"""
    caught = [one for one in counted if one.caught and named_of(one.fault)]
    with_words = [one for one in caught if named_of(one.fault).words]
    part = Of(sum(one.part_named for one in caught), len(caught))
    return part, Of(sum(one.fault_named for one in with_words), len(with_words))


def _kinds(counted: Sequence[Fault]) -> str:
    heading = [
        "kind",
        "planted",
        "caught by a check",
        "by the kit alone",
        "right part",
        "known fault",
        "mildest, float64",
        "mildest, float32",
    ]
    table = []
    for kind, ones in by_kind(counted).items():
        part, known = _named(ones)
        caught = Of(sum(one.caught for one in ones), len(ones))
        mild = [_mild(mildest(ones, dtype)) for dtype in ("float64", "float32")]
        table.append(
            [
                kind,
                str(planted_of_kind()[kind]),
                caught.at_least or "not yet run",
                str(sum(one.only_by_the_kit for one in ones) or ""),
                part.at_least,
                known.at_least,
                *mild,
            ]
        )
    return markdown(heading, table)


def _mild(row: Recorded | None) -> str:
    return "" if row is None else f"{row.ratio:.2g}"


CODES = {
    "8631d07": "before the mends of `program:`",
    "f208ab0": "before those of explanations",
}
"""Earlier commits that faults were put to."""


def _before(rows: Sequence[Recorded], now: Mapping[Planned, Recorded]) -> str:
    """Of each earlier code, the same faults then and now."""
    heading = ["code", "kind", "put to it", "caught then, now", "right part then, now",
               "known fault then, now"]  # fmt: skip
    table = []
    for code in dict.fromkeys(row.code for row in rows if row.code != NOW):
        of_code = latest(rows, code)
        then = faults({check: row for check, row in of_code.items() if check in now})
        same = [row.planned for one in then for row in one.rows]
        after = by_kind(faults({check: now[check] for check in same}))
        for kind, ones in by_kind(then).items():
            if ones:
                table.append([code, kind, str(len(ones)), *_then_and_now(ones, after[kind])])
    return markdown(heading, table)


def _then_and_now(then: Sequence[Fault], now: Sequence[Fault]) -> list[str]:
    """Caught, right part, known fault: as "4, 7"."""
    counts = []
    for ones in (then, now):
        part, known = _named(ones)
        counts.append((sum(one.caught for one in ones), part.count, known.count))
    return [f"{before}, {after}" for before, after in zip(*counts, strict=True)]


def _missed(counted: Sequence[Fault]) -> str:
    own = [one for one in counted if not isinstance(one.fault, Stranger)]
    rows = [row for one in own for row in one.rows if not row.differs]
    if not rows:
        return "None of those that are run."
    table = [[_place(row), row.case, row.dtype, f"{row.ratio:.2g}"] for row in rows]
    return markdown(["fault", "case", "type", "worst error over allowance"], table)


def _only_by_the_kit(counted: Sequence[Fault]) -> str:
    table = []
    for one in counted:
        if one.only_by_the_kit and one.of_kit is not None:
            said = one.of_kit.fault.replace("|", " ")
            place = _place(one.rows[0])
            table.append([place, one.fault.kind, one.fault.where, one.of_kit.named, said])
    if not table:
        return "None of those that are run."
    heading = ["fault", "kind", "where it differs", "shown by", "what it says"]
    return markdown(heading, table)


def _missed_strangers(counted: Sequence[Fault]) -> str:
    table = []
    for one in counted:
        if isinstance(one.fault, Stranger) and not (one.caught or one.only_by_the_kit):
            worst = f"{max(row.ratio for row in one.rows):.2g}"
            table.append([_place(one.rows[0]), one.fault.kind, one.fault.where, worst])
    if not table:
        return "None of those that are run."
    heading = ["fault", "kind", "where it differs", "worst error over allowance"]
    return markdown(heading, table)


def _misnamed(counted: Sequence[Fault]) -> str:
    table = []
    for one in counted:
        wanted = named_of(one.fault)
        if wanted is None or one.fault_named:
            continue
        for row in one.rows:
            right = wanted.is_part(row.named) and wanted.words in row.fault
            if row.differs and not right:
                known = f": {wanted.words}" if wanted.words else ""
                meant = f"{wanted.what} {' or '.join(wanted.parts)}{known}".strip()
                table.append([_place(row), row.dtype, f"{row.named}: {row.fault}", meant])
    if not table:
        return "None of those that are run."
    return markdown(["fault", "type", "what was said", "what is right"], table)


def _place(row: Recorded) -> str:
    return f"`{row.backend}:{row.mode}`"


def _honest(rows: Sequence[Recorded]) -> str:
    heading = [
        "arm",
        "types",
        "batches that are timed",
        "checks",
        "alarms",
        "worst error over allowance",
    ]
    table = []
    for arm in dict.fromkeys((check.backend, check.mode) for check in honest_checks()):
        ones = [row for row in rows if (row.backend, row.mode) == arm]
        if not ones:
            table.append([":".join(arm), "", "", "0", "not yet run", ""])
            continue
        alarms = Of(sum(row.differs for row in ones), len(ones))
        worst = max(row.ratio for row in ones)
        table.append(
            [
                ":".join(arm),
                ", ".join(sorted({row.dtype for row in ones})),
                _sizes(ones),
                str(len(ones)),
                alarms.at_most,
                f"{worst:.2g}",
            ]
        )
    return markdown(heading, table)


def _sizes(rows: Sequence[Recorded]) -> str:
    """Rows of timed batches; the workload's own where it is that."""
    sizes = sorted({row.rows for row in rows if row.rows})
    own = ["the workload's own"] if any(not row.rows for row in rows) else []
    return ", ".join([*map(str, sizes), *own])


def _not_run(now: Mapping[Planned, Recorded]) -> str:
    """Counts of what is planned and has no row."""
    left = [check for check in (*planted(), *kit(), *honest_checks()) if check not in now]
    if not left:
        return "Nothing: every planned check is recorded."
    counts = Counter((check.what, check.backend) for check in left)
    table = [[what, backend, str(count)] for (what, backend), count in counts.items()]
    return markdown(["check", "backend", "not yet run"], table)
