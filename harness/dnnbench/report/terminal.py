"""What a run shows in the terminal: for each case its phases, the fastest first, in 100 columns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..execution.agreement_rows import AgreementRow, agreement_rows
from ..protocol.keys import CaseKey
from ..spec.phases import PIECES
from ..store.frames import records
from ..wording import one_line
from .agreement_tables import agreement_table
from .evidence import Evidence, by_headline
from .quantity import scaled, seconds
from .tables import (
    case_table,
    memory_table,
    roofline_table,
    shown_rows,
    starts_table,
    steps_table,
    twin_table,
)
from .words import unsteady, why_not_clear

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def run_tables(evidence: Evidence) -> list["Table | Text"]:
    """Verdicts case by case, then the steps of training, then agreement; headings between them."""
    parts: list[Table | Text] = (
        [_outcome(evidence.nothing_decided)] if evidence.nothing_decided else []
    )
    for case in evidence.cases:
        rows = _in_order(records(evidence.of_case(case)))
        parts += [
            _heading(f"{case[0]}, batch {case[1]}", f"ms a call; base {evidence.measured.base}"),
            case_table(evidence, rows),
        ]
        late = evidence.late_faults(CaseKey(*case))
        parts += [_note(text) for text in (*_reasons(evidence, rows), *_unsteady(rows), *late)]
    if evidence.twins:
        parts += [
            _heading("Twin", "the base over itself; all intervals together 95 %"),
            twin_table(evidence),
        ]
    if evidence.steps:
        title = "The four steps of training"
        parts += [
            _heading(title, "ms, by difference; then what could run alone"),
            steps_table(evidence),
        ]
        parts += [_note(text) for text in evidence.fused]
    if evidence.starts:
        parts += [
            _heading("To the first result", "import, build, first call; compile caches"),
            starts_table(evidence),
        ]
        parts += [_note(found.sentence) for found in evidence.break_evens]
    if evidence.memory:
        parts += [
            _heading("Memory", "weights and optimizer as held; the rest by the spec"),
            memory_table(evidence),
        ]
    if evidence.roofs:
        parts += [_heading("Roofline", _roof_words(evidence)), roofline_table(evidence)]
        parts += [_note(text) for text in evidence.above_the_peak]
    if len(evidence.agreement):
        parts += [
            _heading("Agreement", "the worst tensor, error over allowance"),
            agreement_table(_as_planned(evidence)),
        ]
    notes = (*_compiled(evidence), *_unequal(evidence), *_overhead(evidence))
    return parts + [_note(text) for text in notes]


def _overhead(evidence: Evidence) -> list[str]:
    """What the harness itself takes, where the run measured it."""
    if evidence.noop_call_s is None:
        return []
    return [
        f"no-op program (it does nothing): {seconds(evidence.noop_call_s)} a call, part of every time above"
    ]


def _roof_words(evidence: Evidence) -> str:
    """The peaks and who reached them."""
    told = [
        f"{device} {dtype}: {scaled(roof.flops_per_s, 'FLOP/s')} ({roof.flops_arm}), "
        f"{scaled(roof.bytes_per_s, 'B/s')} ({roof.bytes_arm})"
        for (device, dtype), roof in evidence.roofs.items()
    ]
    return "; ".join(told)


def _unequal(evidence: Evidence) -> list[str]:
    """Lines of the fairness audit that differ between arms and must not."""
    return [
        f"{case}: {line.what} differs: "
        + ", ".join(f"{arm} {value}" for arm, value in line.values.items())
        for case, lines in evidence.facts.fairness.items()
        for line in lines
        if line.must_match and not line.equal
    ]


def _compiled(evidence: Evidence) -> list[str]:
    """How whole the graphs are that torch.compile made, where it was used."""
    described = {key: facts.description for key, facts in evidence.programs.items()}
    return [
        f"{key}: {program['compilations']} graphs compiled, {program['graph_breaks']} graph breaks"
        for key, program in described.items()
        if program.get("graph_breaks") is not None and program["compilations"]
    ]


def _as_planned(evidence: Evidence) -> list[AgreementRow]:
    """Checks in the order of the cells, not of their names."""
    order = {
        name: place
        for place, name in enumerate([*evidence.cells["workload"], *evidence.cells["arm"]])
    }
    rows = agreement_rows(records(evidence.agreement))
    return sorted(
        rows, key=lambda row: (order.get(row.workload, -1), order.get(row.arm, -1), row.dtype)
    )


def _in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Phases by what matters most; the fastest first, what has no time last."""
    order = by_headline(row["phase"] for row in rows)
    slow = float("inf")
    return sorted(
        rows, key=lambda r: (order.index(r["phase"]), slow if r["call_s"] is None else r["call_s"])
    )


def _reasons(evidence: Evidence, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why cells have no clear verdict, no time, or a time to doubt; each reason once, with the cells it holds for."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        unclear = row["call_s"] is None or row["verdict_reason"]
        piece = row["phase"] in PIECES  # that it cannot run alone is no news
        if unclear and not (piece and row["status"] == "unsupported"):
            grouped.setdefault((row["arm"], why_not_clear(row)), []).append(row["phase"])
    verdicts = [reason for _, reason in grouped]
    for row in shown_rows(rows):
        doubt = evidence.time_doubts.get(row["cell_id"])
        if doubt and not any(doubt in reason for reason in verdicts):
            grouped.setdefault((row["arm"], f"no interval of its time: {doubt}"), []).append(
                row["phase"]
            )
    return [f"{arm} ({', '.join(phases)}): {reason}" for (arm, reason), phases in grouped.items()]


def _unsteady(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a '~' before a time stands for."""
    return [
        f"~ {row['arm']} ({row['phase']}): {unsteady(row)} generations"
        for row in rows
        if unsteady(row)
    ]


def _heading(title: str, subtitle: str) -> "Text":
    from rich.text import Text

    return Text.assemble("\n", (one_line(title), "bold"), (f"   {one_line(subtitle)}", "dim"))


def _outcome(text: str) -> "Text":
    from rich.text import Text

    return Text(text, style="bold yellow")


def _note(text: str) -> "Text":
    from rich.text import Text

    return Text(f"  {one_line(text)}", style="dim")
