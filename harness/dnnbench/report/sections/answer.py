"""The answer: which arm to take for each network on this machine, and how far that is certain."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from ...execution.twins import twin_doubt
from ...protocol.keys import CaseKey
from ...spec.phases import PURPOSES, Phase
from ...wording import counted, have
from ...wording import listed as first_of
from ..agreement_words import agreement_sentence
from ..answer_words import (
    against_base,
    case_names,
    compared,
    first_places,
    not_judged,
    undecided,
)
from ..builders import ANSWER, Builder
from ..cells import VERDICT_TONES, about_case, arm_cell
from ..evidence import HEADLINES, Evidence
from ..over_workloads import over_workloads, summary_tables, to_json
from ..quantity import seconds
from ..section import Against, Cell, Column, Section, Table, Tone, table
from ..standing import Standing
from ..summary_rows import CellSummary
from ..sweep_words import headlines
from ..words import word_of

MOST_CASES, MOST_LINES = 3, 20
"""Of tables; with more, means over the workloads stand before them."""
ENDS = {"interrupted": "was interrupted", "running": "has not ended"}
"""What is said of a run that is not complete, by its status."""
MOST_SWEEPS = 4
"""Sentences about what was varied."""
MOST_DOUBTS = 4
"""Reasons that are told here; the others stand with every cell."""
LEAD = (
    "A time is the base's, times the ratio in rounds that visited both; 2x is twice as fast as the "
    "base, 0.5x half as fast. An arm is called fastest where every other one is slower for "
    "certain, all of them together at 95 %; else those that may be as fast share the first place."
)


def answer(evidence: Evidence) -> Section | None:
    """None for a run that timed neither a training step nor an inference, but something else."""
    cases = [case for case in evidence.cases if _of_purpose(evidence, case)]
    if not cases:
        return _nothing(evidence) if _is_without_figures(evidence) else None
    standings = _standings(evidence, cases)
    tables = [_table(evidence, case) for case in cases]
    means = over_workloads(evidence) if _is_long(tables) else []
    summary = summary_tables(evidence, means)
    return Section(
        id=ANSWER,
        title="The answer",
        brief="time of a call; --details shows everything else",
        alarm=_overruled(evidence) or _unfinished(evidence),
        sentences=(_machine(evidence), _versions(evidence)),
        tables=(*summary, *(_folded(tables, cases) if summary else tables)),
        conclusions=tuple(_conclusions(evidence, cases, standings)),
        doubts=tuple(_doubts(evidence)),
        lead=LEAD,
        data={
            "first_places": [_place(standing) for standing in standings],
            "over_workloads": [to_json(one) for one in means],
        },
    )


def _is_without_figures(evidence: Evidence) -> bool:
    """Whether it neither timed nor trained anything."""
    return evidence.epochs.empty and all(row.call_s is None for row in evidence.rows)


def _nothing(evidence: Evidence) -> Section:
    """The answer of a run without a figure: that there is none, and why."""
    return Section(
        id=ANSWER,
        title="The answer",
        alarm=f"Nothing was measured in this run: {_states(evidence)}.",
        sentences=(_machine(evidence), _versions(evidence)) if evidence.rows else (),
        conclusions=(agreement_sentence(evidence.checks),),
        doubts=tuple(_doubts(evidence)),
    )


def _states(evidence: Evidence) -> str:
    """How many cells have which status."""
    counts = Counter(row.status for row in evidence.rows)
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "it has no cell"


def _is_long(tables: Sequence[Table]) -> bool:
    """Whether the tables of all cases are more than a screen, or than anyone compares."""
    lines = sum(len(one.rows) + 2 for one in tables)
    return len(tables) > MOST_CASES or (len(tables) > 1 and lines > MOST_LINES)


def _folded(tables: Sequence[Table], cases: Sequence[CaseKey]) -> list[Table]:
    """For whoever asks for them, each under its case's name."""
    named = zip(tables, cases, strict=True)
    return [replace(one, folded=True, title=str(case)) for one, case in named]


def _of_purpose(evidence: Evidence, case: CaseKey) -> list[CellSummary]:
    """Training steps and inferences of a case; empty where not one was timed."""
    rows = [row for row in evidence.of_case(case) if row.phase in HEADLINES]
    return rows if any(row.call_s is not None for row in rows) else []


def _standings(evidence: Evidence, cases: list[CaseKey]) -> list[Standing]:
    """Of every case in training, then of every case in inference."""
    standings = evidence.standings
    of_all = [standings.of(case, phase) for phase in PURPOSES for case in cases]
    return [standing for standing in of_all if standing is not None]


def _unfinished(evidence: Evidence) -> str:
    """That cells may be missing, and figures rest on less than was planned."""
    if evidence.run.status == "complete":
        return ""
    happened = ENDS.get(evidence.run.status, evidence.run.status)
    timed = sum(row.call_s is not None for row in evidence.rows)
    cells = counted(len(evidence.rows), "cell")
    return f"This run {happened}: {timed} of {cells} {have(timed)} a time so far."


def _overruled(evidence: Evidence) -> str:
    """That the machine was too busy, or that the run contradicts itself."""
    run = evidence.measured
    visited = [cell for cell in run.cells if cell.cell_id in run.visits]
    spoilt = [cell for cell in visited if cell.case in run.spoilt]
    if spoilt:
        cases = first_of(list(dict.fromkeys(str(cell.case) for cell in spoilt)))
        return (
            f"The machine was too busy to judge {cases}: {run.time_doubt(spoilt[0])}, or end the "
            "other work (dnnbench doctor shows it), and run again."
        )
    doubt = twin_doubt(evidence.twins)
    return f"No verdict of this run holds: {doubt}." if doubt else ""


def _machine(evidence: Evidence) -> str:
    """The machine, and what was used of it."""
    machine = [evidence.machine_name, _hardware(evidence)]
    machine += evidence.machine["facts"].get("hardware", {}).get("gpus") or []
    threads = list(dict.fromkeys(str(row.threads) for row in evidence.rows))
    devices = dict.fromkeys(row.device for row in evidence.rows)
    dtypes = dict.fromkeys(row.dtype for row in evidence.rows)
    count = "1 thread" if threads == ["1"] else f"{' or '.join(threads)} threads"
    used = ", ".join([count, *devices, *dtypes])
    return f"{', '.join(dict.fromkeys(filter(None, machine)))}; used: {used}"


def _hardware(evidence: Evidence) -> str:
    """Processor, cores and memory: the machine's class; of an older store the processor alone."""
    hardware = evidence.machine["facts"].get("hardware", {})
    return evidence.machine["machine_class"] or str(hardware.get("cpu_model") or "")


def _versions(evidence: Evidence) -> str:
    versions = {name: version for name, version in evidence.run.versions.items() if version}
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _table(evidence: Evidence, case: CaseKey) -> Table:
    """Training step and inference of each arm side by side, the fastest first."""
    rows = {(row.arm, row.phase): row for row in _of_purpose(evidence, case)}
    present = {phase for _, phase in rows}
    phases = [phase for phase in PURPOSES if phase in present]
    times = _times_s(evidence, rows)
    slow = float("inf")
    arms = sorted(
        dict.fromkeys(arm for arm, _ in rows),
        key=lambda arm: [times.get((arm, phase), slow) for phase in phases],
    )
    columns = [Column(str(case))]
    for phase in phases:
        name = HEADLINES[phase]
        columns += [
            Column(name, number=True, panel=name),
            Column("against base", prose=True, least=13, panel=name),
        ]
    body = []
    for arm in arms:
        named = arm_cell(arm, evidence.backend_of(arm))
        cells = [replace(named, about={**named.about, **about_case(case)})]
        for phase in phases:
            cells += _cells(evidence, rows.get((arm, phase)), phase, times)
        body.append(cells)
    return table(columns, body)


Times = dict[tuple[str, str], float]
"""Seconds by (arm, phase)."""


def _times_s(evidence: Evidence, rows: dict[tuple[str, str], CellSummary]) -> Times:
    """The base's time times the ratio to it; an arm's own time where it has no ratio."""
    times: Times = {}
    for (arm, phase), row in rows.items():
        base = rows.get((evidence.base, phase))
        if row.ratio is not None and base is not None and base.call_s is not None:
            times[arm, phase] = base.call_s * row.ratio
        elif row.call_s is not None:
            times[arm, phase] = row.call_s
    return times


def _cells(
    evidence: Evidence, row: CellSummary | None, phase: Phase, times: Times
) -> tuple[Cell, Cell]:
    """The time of an arm, and what it is against the base."""
    time_s = None if row is None else times.get((row.arm, phase))
    if row is None or time_s is None:
        return Cell("" if row is None else row.status, tone=Tone.QUIET), Cell()
    longest = max(value for (_, of_phase), value in times.items() if of_phase == phase)
    words = against_base(row, evidence.base)
    tone = VERDICT_TONES.get(word_of(row), Tone.QUIET)
    time = Cell(
        seconds(time_s),
        bar=100 * time_s / longest,
        value=time_s,
        of=row.cell_id,
        shows=Against.TIME,
    )
    return time, Cell(words, tone=tone, of=row.cell_id, shows=Against.WORDS)


def _conclusions(evidence: Evidence, cases: list[CaseKey], standings: list[Standing]) -> list[str]:
    names = case_names(cases)
    spoken = []
    for phase in PURPOSES:
        of_phase = [one for one in standings if one.phase == phase]
        theta = evidence.measured.theta
        spoken.append(first_places(HEADLINES[phase], of_phase, names, theta))
    spoken += headlines(evidence.sweeps, evidence.measured.theta, MOST_SWEEPS)
    agreeing = agreement_sentence(evidence.checks)
    silent = "" if _overruled(evidence) else not_judged(evidence)
    return [text for text in (*spoken, agreeing, undecided(evidence), silent) if text]


def _doubts(evidence: Evidence) -> list[str]:
    """Why arms are missing or not ranked, each reason once."""
    settings = evidence.measured.settings
    reasons = [f"{name}: {why}" for name, why in settings.skipped.items()]
    judged = {row.cell_id for row in compared(evidence)}
    for row in evidence.rows:
        why = row.verdict_reason or row.reason
        if row.phase in HEADLINES and row.cell_id not in judged and why:
            reasons.append(f"{row.arm} on {row.case}, {HEADLINES[row.phase]}: {why}")
    shown = reasons[:MOST_DOUBTS]
    more = len(reasons) - len(shown)
    return [*shown, f"and {more} more, with every cell (--details)"] if more else shown


def _place(standing: Standing) -> dict[str, Any]:
    """For a script."""
    return {
        "workload": standing.case.workload,
        "batch_size": standing.case.batch_size,
        "phase": standing.phase,
        "first": list(standing.first),
        "not_judged": standing.unjudged,
        "times_as_fast": None if standing.ahead is None else asdict(standing.ahead),
        "as": standing.ahead_of,
    }


BUILDER = Builder(10, answer)
