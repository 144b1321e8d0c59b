"""The tables of a run in the terminal, one for each thing that it measured, in 100 columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..spec.phases import Phase
from .columns import VERDICT_STYLES, column_table, mark
from .evidence import HEADLINES, Evidence
from .quantity import digits, interval, milliseconds, ratio, scaled, seconds, throughput
from .steps import difference_text
from .words import NOT_JUDGED, verdict_word

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

STEP_HEADINGS = ("forward", "loss", "backprop.", "update", "whole step")
PIECE_HEADINGS = {"loss alone": "loss calculation", "update alone": "weight update"}


def _by_case(rows: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Each row after the name of its case; the name is empty where the row above has it."""
    last = ""
    for row in rows:
        case = f"{row.workload}/{row.batch_size}"
        yield "" if case == last else case, row
        last = case


def case_table(evidence: Evidence, rows: Sequence[Mapping[str, Any]]) -> "Table":
    """Training step and inference in full, each the fastest first; where neither was timed, whatever was."""
    headings = (
        "phase",
        "arm",
        ">time",
        ">[95 %]",
        ">ratio",
        ">[95 %]",
        "verdict",
        ">examples/s",
        "agrees",
    )
    table = column_table(*headings, leave_out=("examples/s", "[95 %]", "agrees", "ratio"))
    last = None
    for row in shown_rows(rows):
        if last not in (None, row["phase"]):
            table.add_row()
        table.add_row("" if row["phase"] == last else row["phase"], *_cells(evidence, row))
        last = row["phase"]
    return table


def shown_rows(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Those of a case that its table shows."""
    return [row for row in rows if row["phase"] in HEADLINES] or rows


def _cells(evidence: Evidence, row: Mapping[str, Any]) -> list["str | Text"]:
    from rich.text import Text

    if row["call_s"] is None:
        return [
            Text(row["arm"]),
            Text(row["status"], style="red" if row["status"] == "failed" else "dim"),
        ]
    against = "base" if row["arm"] == evidence.measured.base else ratio(row["ratio"])
    verdict = verdict_word(row)
    return [
        Text(row["arm"]),
        ("~" if row["no_steady_state"] else "") + milliseconds(row["call_s"]),
        Text(interval(row["call_s_low"], row["call_s_high"], milliseconds), style="dim"),
        Text(against, style="dim" if against == "base" else ""),
        Text(interval(row["ratio_low"], row["ratio_high"]), style="dim"),
        Text(verdict, style=VERDICT_STYLES[verdict]),
        throughput(row["batch_size"] / row["call_s"]),
        mark(evidence.agrees(row["arm"], row["workload"])),
    ]


def twin_table(evidence: Evidence) -> "Table":
    """The base measured twice, whose ratio must cover 1."""
    from rich.text import Text

    table = column_table(
        "workload", "phase", "arm", ">ratio", ">interval", "covers 1", leave_out=("interval",)
    )
    for twin in evidence.twins:
        unknown = NOT_JUDGED if twin.doubt else "one generation gives no interval"
        found, covers = twin.ratio, {True: "yes", False: "NO", None: unknown}[twin.covers]
        style = "bold red" if twin.covers is False else ""
        name = f"{twin.workload}/{twin.batch_size}"
        bounds = Text(interval(found.low, found.high))
        table.add_row(
            name, twin.phase, Text(twin.arm), ratio(found.value), bounds, Text(covers, style=style)
        )
    return table


def steps_table(evidence: Evidence) -> "Table":
    """Where the time of a training step goes, and beside it what a framework could run by itself."""
    alone = {
        (p.workload, p.batch_size, p.arm, p.name): milliseconds(p.alone.value)
        for p in evidence.pieces
    }
    pieces = [
        (heading, step)
        for heading, step in PIECE_HEADINGS.items()
        if any(key[-1] == step for key in alone)
    ]
    names = [*STEP_HEADINGS, *(heading for heading, _ in pieces)]
    table = column_table(
        "workload", "arm", *(f">{name}" for name in names), leave_out=tuple(PIECE_HEADINGS)
    )
    ranked = sorted(
        evidence.steps,
        key=lambda s: (evidence.cases.index((s.workload, s.batch_size)), s.whole.value),
    )
    for case, steps in _by_case(ranked):
        differences = (difference_text(step, milliseconds) for step in steps.seconds.values())
        times = (*differences, milliseconds(steps.whole.value))
        by_itself = (
            alone.get((steps.workload, steps.batch_size, steps.arm, step), "") for _, step in pieces
        )
        table.add_row(case, steps.arm, *times, *by_itself)
    return table


def starts_table(evidence: Evidence) -> "Table":
    """How long each arm takes to its first training step, else to its first inference."""
    trained = {
        (s.workload, s.batch_size, s.arm) for s in evidence.starts if s.phase == Phase.TRAIN_STEP
    }
    headings = (
        "workload",
        "first",
        "arm",
        "caches",
        ">import",
        ">build",
        ">first call",
        ">together",
    )
    table = column_table(*headings, leave_out=("import", "build", "caches", "first call"))
    shown = [
        start
        for start in evidence.starts
        if start.phase == Phase.TRAIN_STEP
        or (start.workload, start.batch_size, start.arm) not in trained
    ]
    before = ""
    for case, start in _by_case(shown):
        times = (
            seconds(s) for s in (start.import_s, start.build_s, start.first_call_s, start.total_s)
        )
        phase = start.phase if case or start.phase != before else ""
        table.add_row(case, phase, start.arm, start.caches, *times)
        before = start.phase
    return table


def memory_table(evidence: Evidence) -> "Table":
    """Memory by part; where the program's own arrays are not what the spec says, both stand."""
    headings = (
        "workload",
        "phase",
        "arm",
        ">weights",
        ">optimizer",
        ">gradients",
        ">activations",
        ">process peak",
    )
    on_device = any(row.peak_device is not None for row in evidence.memory)
    spared = ("gradients", "activations", "optimizer")
    table = column_table(*headings, *([">device"] if on_device else []), leave_out=spared)
    for case, row in _by_case(evidence.memory):
        spec = row.by_spec
        slots = "" if row.phase == "infer" else _both(row.optimizer, spec.optimizer)
        parts = (
            _both(row.weights, spec.weights),
            slots,
            scaled(spec.gradients, "B"),
            scaled(spec.activations, "B"),
        )
        device = [scaled(row.peak_device, "B")] if on_device else []
        table.add_row(case, row.phase, row.arm, *parts, scaled(row.peak_rss, "B"), *device)
    return table


def _both(held: int, by_spec: int) -> str:
    return (
        scaled(held, "B")
        if held == by_spec
        else f"{scaled(held, 'B')} (spec {scaled(by_spec, 'B')})"
    )


def roofline_table(evidence: Evidence) -> "Table":
    """Rate, share of the measured peak, arithmetic intensity, what bounds it, and energy where a counter tells it.

    With the time by the device's own clock where any arm has one.
    """
    shares = evidence.shares
    clocked = any(s.device_s is not None for s in shares)
    more = [">on the device"] if clocked else []
    headings = (
        "workload",
        "phase",
        "arm",
        ">FLOP/s",
        ">of peak",
        ">FLOP/B",
        "bound by",
        ">energy",
        *more,
    )
    table = column_table(*headings, leave_out=("energy", "FLOP/B", "bound by"))
    for case, s in _by_case(shares):
        energy = "no counter" if s.joules is None else scaled(s.joules, "J")
        timed = ["no clock" if s.device_s is None else seconds(s.device_s)] if clocked else []
        table.add_row(
            case,
            s.phase,
            s.arm,
            s.rate_text,
            s.of_peak,
            digits(s.intensity),
            s.bound or "",
            energy,
            *timed,
        )
    return table
