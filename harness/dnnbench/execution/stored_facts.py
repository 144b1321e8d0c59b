"""The form in which a store keeps what a generation tells besides times,
and how every older form is read.

Version 2 lists arms, programs and cells, each with what names it.
Before, facts stood under texts made of these names; such a text is looked up by the names
that the run has, and never taken apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ..errors import StoreError
from ..protocol.arm import Arm
from ..protocol.keys import CaseKey, CellKey, ProgramKey
from ..spec.costs import MemoryParts
from ..spec.phases import Phase
from ..wording import shortened
from ..worker.peaks import Peaks
from ..worker.services.timing import Energy
from .facts import (
    AS_FOUND,
    AuditFacts,
    AuditLine,
    CellFacts,
    GenerationFacts,
    ProfileFacts,
    ProgramFacts,
    ProgramMemory,
    Summary,
    audit_facts,
)

VERSION = 2
Json = dict[str, Any]


def stored(facts: GenerationFacts) -> Json:
    """Plain data for the store."""
    arms = dict.fromkeys([*facts.versions, *facts.machine_peaks])
    return _head(facts) | {
        "version": VERSION,
        "arms": [{"arm": arm.name} | _arm(facts, arm) for arm in arms],
        "programs": [
            _where(key.arm, key.case) | _program(program) for key, program in facts.programs.items()
        ],
        "cells": [
            _where(key.arm, key.case) | {"phase": key.phase} | values
            for key, cell in facts.cells.items()
            if (values := _cell(cell))
        ],
        "control": [
            asdict(case) | {"idle_cpu": share} for case, share in facts.control_idle_cpu.items()
        ],
        "fairness": [
            asdict(case) | {"lines": _lines(lines)} for case, lines in facts.fairness.items()
        ],
    }


def read(
    stored: Mapping[str, Any], arms: Mapping[str, Arm], cases: Iterable[CaseKey]
) -> GenerationFacts:
    """The facts of a run's generation, whatever version stored them.

    StoreError where they are none.

    arms: those of the run, by name.
    """
    try:
        if stored.get("version") == VERSION:
            return _read_listed(stored, arms)
        return _read_by_text(stored, arms, list(cases))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = shortened(f"{type(error).__name__}: {error}")
        raise StoreError(f"the facts stored with a generation cannot be read ({why})") from error


def document(facts: GenerationFacts) -> Json:
    """The facts for people and scripts, under the names of programs and cells:
    what `--json` shows, and stores once had.
    """
    programs = {str(key): program for key, program in facts.programs.items()}
    cells = {str(key): cell for key, cell in facts.cells.items()}
    idle = {f"control {case}": share for case, share in facts.control_idle_cpu.items()}
    idle |= {name: p.idle_cpu for name, p in programs.items() if p.idle_cpu is not None}
    return _head(facts) | {
        "programs": {name: dict(p.description) for name, p in programs.items() if p.description},
        "versions": {arm.name: dict(versions) for arm, versions in facts.versions.items()},
        "idle_cpu": idle,
        "audits": {name: _audit(p.audit) for name, p in programs.items() if p.audit},
        "compiled_late": {name: p.compiled_late for name, p in programs.items() if p.compiled_late},
        "energy": {name: asdict(c.energy) for name, c in cells.items() if c.energy},
        "device_call_s": {
            name: c.device_call_s for name, c in cells.items() if c.device_call_s is not None
        },
        "machine_peaks": {arm.name: asdict(peaks) for arm, peaks in facts.machine_peaks.items()},
        "rate_audits": {name: _audit(c.rate_audit) for name, c in cells.items() if c.rate_audit},
        "profiles": {name: asdict(c.profile) for name, c in cells.items() if c.profile},
        "memory": {name: _memory(p.memory) for name, p in programs.items() if p.memory},
        "ledger": {str(case): _lines(lines) for case, lines in facts.fairness.items()},
    }


def _head(facts: GenerationFacts) -> Json:
    return {
        "compile_cache": facts.compile_cache,
        "start_s": facts.start_s,
        "system": dict(facts.system),
        "null_call_s": facts.noop_call_s and asdict(facts.noop_call_s),
        "switches_per_s": facts.switches_per_s and asdict(facts.switches_per_s),
    }


def _where(arm: Arm, case: CaseKey) -> Json:
    return {"arm": arm.name} | asdict(case)


def _arm(facts: GenerationFacts, arm: Arm) -> Json:
    peaks = facts.machine_peaks.get(arm)
    return {"versions": dict(facts.versions.get(arm, {})), "machine_peaks": peaks and asdict(peaks)}


def _program(program: ProgramFacts) -> Json:
    return {
        "description": dict(program.description),
        "audit": _audit(program.audit),
        "compiled_late": program.compiled_late,
        "memory": _memory(program.memory),
        "idle_cpu": program.idle_cpu,
    }


def _cell(cell: CellFacts) -> Json:
    """Without what has a column or a table of its own (peaks, first calls),
    and without what was not measured.
    """
    values = {
        "energy": cell.energy and asdict(cell.energy),
        "device_call_s": cell.device_call_s,
        "rate_audit": _audit(cell.rate_audit),
        "profile": cell.profile and asdict(cell.profile),
    }
    return {name: value for name, value in values.items() if value is not None}


def _audit(audit: AuditFacts | None) -> Json | None:
    if audit is None:
        return None
    error = {"error": audit.error} if audit.error else {}
    return {**audit.figures, "faults": list(audit.faults), **error}


def _memory(memory: ProgramMemory | None) -> Json | None:
    if memory is None:
        return None
    by_spec = {str(phase): parts._asdict() for phase, parts in memory.by_spec.items()}
    return {
        "weights_bytes": memory.weights_bytes,
        "optimizer_bytes": memory.optimizer_bytes,
        "by_spec": by_spec,
    }


def _lines(lines: Iterable[AuditLine]) -> list[Json]:
    return [_line(line) for line in lines]


def _line(line: AuditLine) -> Json:
    return {
        "what": line.what,
        "values": dict(line.values),
        "must_match": line.must_match,
        "equal": line.equal,
    }


def _read_listed(stored: Mapping[str, Any], arms: Mapping[str, Arm]) -> GenerationFacts:
    rows = [row for row in stored["arms"] if row["arm"] in arms]
    programs = [row for row in stored["programs"] if row["arm"] in arms]
    cells = [row for row in stored["cells"] if row["arm"] in arms]
    return _generation(
        stored,
        versions={arms[row["arm"]]: row["versions"] for row in rows if row["versions"]},
        machine_peaks={
            arms[row["arm"]]: Peaks(**row["machine_peaks"]) for row in rows if row["machine_peaks"]
        },
        programs={_program_key(row, arms): _read_program(row) for row in programs},
        cells={_cell_key(row, arms): _read_cell(row) for row in cells},
        control_idle_cpu={_case_key(row): row["idle_cpu"] for row in stored["control"]},
        fairness={_case_key(row): _read_lines(row["lines"]) for row in stored["fairness"]},
    )


def _generation(stored: Mapping[str, Any], **rest: Any) -> GenerationFacts:
    return GenerationFacts(
        compile_cache=stored.get("compile_cache", AS_FOUND),
        start_s=stored.get("start_s", 0.0),
        system=stored.get("system") or {},
        noop_call_s=_read_summary(stored.get("null_call_s")),
        switches_per_s=_read_summary(stored.get("switches_per_s")),
        **rest,
    )


def _case_key(row: Mapping[str, Any]) -> CaseKey:
    return CaseKey(row["workload"], row["batch_size"])


def _program_key(row: Mapping[str, Any], arms: Mapping[str, Arm]) -> ProgramKey:
    return ProgramKey(arms[row["arm"]], _case_key(row))


def _cell_key(row: Mapping[str, Any], arms: Mapping[str, Arm]) -> CellKey:
    return CellKey(arms[row["arm"]], _case_key(row), Phase(row["phase"]))


def _read_program(row: Mapping[str, Any]) -> ProgramFacts:
    return ProgramFacts(
        description=row.get("description") or {},
        audit=_audit_of(row, "audit"),
        compiled_late=row.get("compiled_late") or 0,
        memory=_read_memory(row.get("memory")),
        idle_cpu=row.get("idle_cpu"),
    )


def _read_cell(row: Mapping[str, Any]) -> CellFacts:
    energy = row.get("energy")
    return CellFacts(
        energy=Energy(**energy) if energy else None,
        device_call_s=row.get("device_call_s"),
        rate_audit=_audit_of(row, "rate_audit"),
        profile=ProfileFacts(**row["profile"]) if row.get("profile") else None,
    )


def _audit_of(row: Mapping[str, Any], kind: str) -> AuditFacts | None:
    return audit_facts(row[kind]) if row.get(kind) is not None else None


def _read_memory(memory: Mapping[str, Any] | None) -> ProgramMemory | None:
    if memory is None:
        return None
    by_spec = {
        Phase(phase): MemoryParts(**parts) for phase, parts in memory.get("by_spec", {}).items()
    }
    return ProgramMemory(memory["weights_bytes"], memory["optimizer_bytes"], by_spec)


def _read_lines(lines: Iterable[Mapping[str, Any]]) -> list[AuditLine]:
    return [AuditLine(line["what"], line["values"], line["must_match"]) for line in lines]


def _read_summary(summary: Mapping[str, float] | None) -> Summary | None:
    return Summary(**summary) if summary else None


def _read_by_text(
    stored: Mapping[str, Any], arms: Mapping[str, Arm], cases: list[CaseKey]
) -> GenerationFacts:
    """Version 1: everything by name of arm, `<arm> <case>` or `<arm> <case> <phase>`,
    each kind under a name of its own.
    """
    idle = stored.get("idle_cpu", {})
    peaks = stored.get("machine_peaks", {})
    audits = stored.get("ledger", {})
    programs = {}
    cells = {}
    # Keys are made anew and looked up, never taken apart.
    for name, arm in arms.items():
        for case in cases:
            if program := _texts(stored, _PROGRAM_KINDS, f"{name} {case}"):
                programs[ProgramKey(arm, case)] = _read_program(program)
            for phase in Phase:
                if cell := _texts(stored, _CELL_KINDS, f"{name} {case} {phase}"):
                    cells[CellKey(arm, case, phase)] = _read_cell(cell)
    return _generation(
        stored,
        versions={
            arms[name]: versions
            for name, versions in stored.get("versions", {}).items()
            if name in arms
        },
        machine_peaks={arms[name]: Peaks(**rates) for name, rates in peaks.items() if name in arms},
        programs=programs,
        cells=cells,
        control_idle_cpu={
            case: idle[f"control {case}"] for case in cases if f"control {case}" in idle
        },
        fairness={case: _read_lines(audits[str(case)]) for case in cases if str(case) in audits},
    )


_PROGRAM_KINDS = {
    "programs": "description",
    "audits": "audit",
    "compiled_late": "compiled_late",
    "memory": "memory",
    "idle_cpu": "idle_cpu",
}
_CELL_KINDS = {"energy": "energy", "device_call_s": "device_call_s", "rate_audits": "rate_audit"}


def _texts(stored: Mapping[str, Any], kinds: Mapping[str, str], key: str) -> Json:
    """What version 1 has of a program or a cell, under the names of version 2."""
    return {name: stored[kind][key] for kind, name in kinds.items() if key in stored.get(kind, {})}
