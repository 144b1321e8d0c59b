"""What a run shows in the terminal: for each case its phases, the fastest first, in 100 columns."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..run.agreement import UNSUPPORTED
from ..store.frames import records
from ..store.store import Store
from .evidence import HEADLINES, Evidence, by_headline, gather
from .quantity import digits, interval, milliseconds, percent, ratio, scaled, seconds, throughput
from .words import unsteady, without_verdict

if TYPE_CHECKING:
    from rich.table import Table

VERDICT_STYLES = {"FASTER": "bold green", "SLOWER": "bold red", "SAME": "bold", "UNDECIDED": "dim", "": "dim"}
STEP_HEADINGS = ("forward", "loss", "backprop.", "update", "whole step")


def print_run(show: Callable[[Any], None], store: Store, run_id: str) -> None:
    """Show a run by a function that takes what rich can draw, such as `Output.table`."""
    for part in run_tables(gather(store, run_id)):
        show(part)


def run_tables(evidence: Evidence) -> list[Any]:
    """Verdicts case by case, then the steps of training, then agreement; headings between them."""
    parts: list[Any] = []
    for case in evidence.cases:
        rows = _in_order(records(evidence.of_case(case)))
        parts += [
            _heading(f"{case[0]}, batch {case[1]}", f"ms a call; base {evidence.measured.base}"),
            case_table(evidence, rows),
        ]
        parts += [_note(text) for text in (*_reasons(rows), *_unsteady(rows))]
    if evidence.twins:
        parts += [_heading("Twin", "the base over itself; all intervals together 95 %"), twin_table(evidence)]
    if evidence.steps:
        parts += [_heading("The four steps of training", "ms, by difference"), steps_table(evidence)]
    if evidence.starts:
        parts += [_heading("To the first result", "import, build, first call; compile caches"), starts_table(evidence)]
        parts += [_note(found.sentence) for found in evidence.break_evens]
    if evidence.memory:
        parts += [_heading("Memory", "weights and optimizer as held; the rest by the spec"), memory_table(evidence)]
    if evidence.roofs:
        parts += [_heading("Roofline", _roof_words(evidence)), roofline_table(evidence)]
    if len(evidence.agreement):
        parts += [
            _heading("Agreement", "the worst tensor, error over allowance"),
            agreement_table(_as_planned(evidence)),
        ]
    notes = (*_compiled(evidence), *_ledger(evidence), *_overhead(evidence), *evidence.doubts)
    return parts + [_note(text) for text in notes]


def _overhead(evidence: Evidence) -> list[str]:
    """What the harness itself takes, where the run measured it."""
    if evidence.null_call_s is None:
        return []
    return [f"null arm (a Program that does nothing): {seconds(evidence.null_call_s)} a call, part of every time above"]


def _roof_words(evidence: Evidence) -> str:
    """The peaks and who reached them."""
    told = [
        f"{device} {dtype}: {scaled(roof.flops_per_s, 'FLOP/s')} ({roof.flops_source.partition(',')[0]}), "
        f"{scaled(roof.bytes_per_s, 'B/s')} ({roof.bytes_source.partition(',')[0]})"
        for (device, dtype), roof in evidence.roofs.items()
    ]
    return "; ".join(told)


def _ledger(evidence: Evidence) -> list[str]:
    """Lines of the fairness ledger that differ between arms."""
    return [
        f"{case}: {line['what']} differs: " + ", ".join(f"{arm} {value}" for arm, value in line["values"].items())
        for case, lines in evidence.found.get("ledger", {}).items()
        for line in lines
        if line["must_match"] and not line["equal"]
    ]


def roofline_table(evidence: Evidence) -> "Table":
    """Rate, share of the measured peak, arithmetic intensity, what bounds it, and energy where a counter tells it.

    With the time by the device's own clock where any arm has one.
    """
    shares = evidence.shares
    clocked = any(s.device_s is not None for s in shares)
    more = [">on the device"] if clocked else []
    table = column_table("workload", "phase", "arm", ">FLOP/s", ">of peak", ">FLOP/B", "bound by", ">energy", *more)
    last = None
    for s in shares:
        case = f"{s.workload}/{s.batch_size}"
        share = "no peak" if s.share is None else percent(s.share)
        energy = "no counter" if s.joules is None else scaled(s.joules, "J")
        name = "" if case == last else case
        timed = ["no clock" if s.device_s is None else seconds(s.device_s)] if clocked else []
        table.add_row(
            name, s.phase, s.arm, scaled(s.rate, ""), share, digits(s.intensity), s.bound or "", energy, *timed
        )
        last = case
    return table


def _compiled(evidence: Evidence) -> list[str]:
    """How whole the graphs are that torch.compile made, where it was used."""
    counted = {
        name: facts
        for name, facts in evidence.programs.items()
        if facts.get("graph_breaks") is not None and facts["compilations"]
    }
    return [
        f"{name}: {facts['compilations']} graphs compiled, {facts['graph_breaks']} graph breaks"
        for name, facts in counted.items()
    ]


def _as_planned(evidence: Evidence) -> list[dict[str, Any]]:
    """Checks in the order of the cells, not of their names."""
    order = {name: place for place, name in enumerate([*evidence.cells["workload"], *evidence.cells["arm"]])}
    rows = records(evidence.agreement)
    return sorted(rows, key=lambda row: (order.get(row["workload"], -1), order.get(row["arm"], -1), row["dtype"]))


def column_table(*headings: str) -> "Table":
    """A borderless table; a heading that begins with '>' stands over numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    for heading in headings:
        number = heading.startswith(">")
        table.add_column(heading.lstrip(">"), justify="right" if number else "left", no_wrap=heading != "why")
    return table


def case_table(evidence: Evidence, rows: Sequence[Mapping[str, Any]]) -> "Table":
    """Training step and inference in full, each the fastest first; where neither was timed, whatever was."""
    shown = [row for row in rows if row["phase"] in HEADLINES] or rows
    table = column_table("phase", "arm", ">time", ">[95 %]", ">ratio", ">[95 %]", "verdict", ">examples/s", "agrees")
    last = None
    for row in shown:
        if last not in (None, row["phase"]):
            table.add_row()
        table.add_row("" if row["phase"] == last else row["phase"], *_cells(evidence, row))
        last = row["phase"]
    return table


def _cells(evidence: Evidence, row: Mapping[str, Any]) -> list[Any]:
    from rich.text import Text

    if row["call_s"] is None:
        return [Text(row["arm"]), Text(row["status"], style="red" if row["status"] == "failed" else "dim")]
    against = "base" if row["arm"] == evidence.measured.base else ratio(row["ratio"])
    verdict = row["verdict"] or ""
    return [
        Text(row["arm"]),
        ("~" if row["no_steady_state"] else "") + milliseconds(row["call_s"]),
        Text(interval(row["call_s_low"], row["call_s_high"], milliseconds), style="dim"),
        Text(against, style="dim" if against == "base" else ""),
        Text(interval(row["ratio_low"], row["ratio_high"]), style="dim"),
        Text(verdict, style=VERDICT_STYLES[verdict]),
        throughput(row["batch_size"] / row["call_s"]),
        _mark(evidence.agrees(row["arm"], row["workload"])),
    ]


def _in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Phases by what matters most; the fastest first, what has no time last."""
    order = by_headline(row["phase"] for row in rows)
    slow = float("inf")
    return sorted(rows, key=lambda r: (order.index(r["phase"]), slow if r["call_s"] is None else r["call_s"]))


def _reasons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why cells have no clear verdict, or no time; each reason once, with the cells it holds for."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        unclear = row["call_s"] is None or row["verdict_reason"]
        if unclear and row["status"] != "unsupported":
            grouped.setdefault((row["arm"], without_verdict(row)), []).append(row["phase"])
    return [f"{arm} ({', '.join(phases)}): {reason}" for (arm, reason), phases in grouped.items()]


def _unsteady(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a '~' before a time stands for."""
    return [f"~ {row['arm']} ({row['phase']}): {unsteady(row)} generations" for row in rows if unsteady(row)]


def memory_table(evidence: Evidence) -> "Table":
    """Memory by part; where the program's own arrays are not what the spec says, both stand."""
    headings = ("workload", "phase", "arm", ">weights", ">optimizer", ">gradients", ">activations", ">process grew")
    on_device = any(row.peak_device is not None for row in evidence.memory)
    table = column_table(*headings, *([">device"] if on_device else []))
    last = None
    for row in evidence.memory:
        case, spec = f"{row.workload}/{row.batch_size}", row.by_spec
        slots = "" if row.phase == "infer" else _both(row.optimizer, spec.optimizer)
        parts = (_both(row.weights, spec.weights), slots, scaled(spec.gradients, "B"), scaled(spec.activations, "B"))
        device = [scaled(row.peak_device, "B")] if on_device else []
        table.add_row("" if case == last else case, row.phase, row.arm, *parts, scaled(row.grew, "B"), *device)
        last = case
    return table


def _both(held: int, by_spec: int) -> str:
    return scaled(held, "B") if held == by_spec else f"{scaled(held, 'B')} (spec {scaled(by_spec, 'B')})"


def twin_table(evidence: Evidence) -> "Table":
    """The base measured twice, whose ratio must cover 1."""
    from rich.text import Text

    table = column_table("workload", "phase", "arm", ">ratio", ">interval", "covers 1")
    for twin in evidence.twins:
        found, covers = twin.ratio, {True: "yes", False: "NO", None: "one generation gives no interval"}[twin.covers]
        style = "bold red" if twin.covers is False else ""
        name = f"{twin.workload}/{twin.batch_size}"
        bounds = Text(interval(found.low, found.high))
        table.add_row(name, twin.phase, Text(twin.arm), ratio(found.value), bounds, Text(covers, style=style))
    return table


def steps_table(evidence: Evidence) -> "Table":
    """Where the time of a training step goes."""
    table = column_table("workload", "arm", *(f">{name}" for name in STEP_HEADINGS))
    ranked = sorted(evidence.steps, key=lambda s: (evidence.cases.index((s.workload, s.batch_size)), s.whole.value))
    last = None
    for steps in ranked:
        case = (steps.workload, steps.batch_size)
        name = "" if case == last else f"{case[0]}/{case[1]}"
        times = (milliseconds(e.value) for e in (*steps.seconds.values(), steps.whole))
        table.add_row(name, steps.arm, *times)
        last = case
    return table


def starts_table(evidence: Evidence) -> "Table":
    """How long each arm takes to its first training step, else to its first inference."""
    trained = {(s.workload, s.batch_size) for s in evidence.starts if s.phase == "train_step"}
    table = column_table("workload", "first", "arm", "caches", ">import", ">build", ">first call", ">together")
    last = None
    for start in evidence.starts:
        case = start.workload, start.batch_size
        if start.phase == "train_step" or case not in trained:
            name = "" if case == last else f"{case[0]}/{case[1]}"
            times = (seconds(s) for s in (start.import_s, start.build_s, start.first_call_s, start.total_s))
            table.add_row(name, start.phase, start.arm, start.caches, *times)
            last = case
    return table


def agreement_table(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """The worst tensor for each arm, workload and element type, from rows of frame `agreement`."""
    from rich.text import Text

    table = column_table("workload", "arm", "type", "agrees", ">ratio", "of", "tensor")
    worst: dict[tuple, Mapping[str, Any]] = {}
    for row in rows:
        key = row["workload"], row["arm"], row["dtype"]
        worst[key] = max(worst.get(key, row), row, key=_badness)
    for (workload, arm, dtype), row in worst.items():
        if row["kind"] == UNSUPPORTED:
            table.add_row(workload, Text(arm), dtype, Text(UNSUPPORTED, style="dim"))
            continue
        of = f"{row['kind']} {row['optimizer'] or ''}".strip()
        table.add_row(workload, Text(arm), dtype, _mark(row["ok"]), digits(row["ratio"]), of, Text(row["tensor"] or ""))
    return table


KINDS = ("outputs", "loss", "gradients", "state", "weights", "slots")
"""Columns of the agreement matrix: kinds of tensor, those after one and five steps together."""


def agreement_matrix(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """The worst ratio to the allowance by workload, arm and type, for each kind of tensor; above 1 is red."""
    from rich.text import Text

    table = column_table("workload", "arm", "type", *(f">{kind}" for kind in KINDS))
    cases: dict[tuple, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        worst = cases.setdefault((row["workload"], row["arm"], row["dtype"]), {})
        kind = row["kind"].partition("@")[0]
        worst[kind] = max(worst.get(kind, row), row, key=_badness)
    for (workload, arm, dtype), worst in cases.items():
        if UNSUPPORTED in worst:
            table.add_row(workload, Text(arm), dtype, Text(UNSUPPORTED, style="dim"))
            continue
        cells = [(digits(worst[kind]["ratio"]), worst[kind]["ok"]) if kind in worst else ("", True) for kind in KINDS]
        table.add_row(workload, Text(arm), dtype, *(Text(text, style="" if ok else "bold red") for text, ok in cells))
    return table


def _badness(row: Mapping[str, Any]) -> tuple[bool, float]:
    """What fails above what passes; no ratio, or NaN, above any."""
    value = row["ratio"]
    return not row["ok"], float("inf") if value is None or value != value else value


def _mark(agrees: bool | None):
    from rich.text import Text

    if agrees is None:
        return Text("not checked", style="dim")
    return Text("✓", style="green") if agrees else Text("✗", style="bold red")


def _heading(title: str, subtitle: str):
    from rich.text import Text

    return Text.assemble("\n", (title, "bold"), (f"   {subtitle}", "dim"))


def _note(text: str):
    from rich.text import Text

    return Text(f"  {text}", style="dim")
