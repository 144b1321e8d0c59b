"""The run itself: machine, dates, command, settings, versions, what each program said of itself,
what was left out.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ..builders import Builder
from ..evidence import Evidence
from ..section import Column, Section, Table, table, words
from ..words import listed

EVERYTHING = "Nothing was left out: every cell of the plan was measured"


def environment(evidence: Evidence) -> Section:
    """Every run has one."""
    run = evidence.run
    label = f" ({run.label})" if run.label else ""
    left_out = _left_out(evidence)
    return Section(
        id="run",
        title=f"Run {run.run_id}{label}",
        sentences=(EVERYTHING,) if evidence.measured.cells and not left_out else (),
        tables=(_summary(evidence), *_facts(evidence)),
        doubts=tuple(f"left out: {reason}" for reason in left_out),
        brief="machine, command, settings, versions",
    )


def _summary(evidence: Evidence) -> Table:
    run = evidence.run
    ended = f" to {_minute(run.finished)}" if run.finished else ""
    pairs = {
        "machine": evidence.machine_name,
        "measured": f"{_minute(run.created)} UTC{ended}, {run.status}",
        "revision": run.revision or "none",
        "base": evidence.base or "none",
        "measured with": f"dnnbench {run.dnnbench_version}",
        "command": shlex.join(run.command),
        "cite as": _citation(evidence),
    }
    return _pairs(pairs)


def _citation(evidence: Evidence) -> str:
    """What names the run for good."""
    run = evidence.run
    return (
        f"dnnbench {run.dnnbench_version}, run {run.run_id} on {evidence.machine_name}, "
        f"{run.created[:10]}"
    )


def _minute(instant: str) -> str:
    return instant[:16].replace("T", " ")


def _facts(evidence: Evidence) -> list[Table]:
    """What the run was asked, what the machine is and how it was set up, what each program said of
    itself.
    """
    settings = evidence.measured.settings
    parts: dict[str, Any] = {
        "settings": {**settings.chosen, **settings.files},
        "versions": evidence.run.versions,
        **evidence.machine["facts"],
        "system": evidence.system,
    }
    parts |= {str(key): facts.description for key, facts in evidence.programs.items()}
    named = {title: part for title, part in parts.items() if isinstance(part, Mapping) and part}
    return [_pairs(dict(flat(part)), title, folded=True) for title, part in named.items()]


def _pairs(pairs: Mapping[str, str], title: str = "", folded: bool = False) -> Table:
    columns = (Column("what"), Column("value", prose=True))
    rows = [words(name, value) for name, value in pairs.items()]
    return table(columns, rows, title=title, folded=folded)


def flat(part: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as pairs of texts, keys joined by blanks; what is None was absent on the
    machine.
    """
    for key, value in part.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from flat(value, name)
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value)) or "none"
        else:
            yield name, "absent" if value is None else str(value)


def _left_out(evidence: Evidence) -> list[str]:
    """What was not measured, or not ranked, and why; each reason once."""
    settings = evidence.measured.settings
    skipped = [f"{name}: {why}" for name, why in settings.skipped.items()]
    phases_by_reason: dict[tuple[str, str, str], list[str]] = {}
    for row in evidence.rows:
        if row.status not in ("ok", "pending"):
            where = f"{row.workload} batch {row.batch_size}"
            key = row.arm, where, row.reason or row.status
            phases_by_reason.setdefault(key, []).append(row.phase)
    reasons = [
        f"{arm}, {where}, {listed(phases)}: {why}"
        for (arm, where, why), phases in phases_by_reason.items()
    ]
    return [*settings.notes, *skipped, *reasons]


BUILDER = Builder(110, environment)
