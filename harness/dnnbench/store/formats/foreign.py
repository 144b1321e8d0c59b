"""What another tool recorded, as a run of a store.

A benchmark of another tool is no network that dnnbench knows: its name stands where a workload's
does, its arm is called after the tool (and the tool's environment, where it keeps several), its
phase is `infer`, and columns that it does not tell hold the defaults of an arm. One file is one
process, so one generation: a time without an interval.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ... import __version__
from ...protocol.arm import Arm
from ...spec.phases import Phase
from ..identity import canonical_json, machine_id
from ..store import Store

MODE = "call"


@dataclass(frozen=True)
class ForeignBenchmark:
    """One benchmark.  call_s: seconds a call, one for each visit.  calls: in each visit."""

    name: str
    call_s: Sequence[float]
    calls: int = 1
    version: str = ""


@dataclass(frozen=True)
class ForeignRun:
    """What one process of another tool recorded.

    hardware: the facts of `host.machine.hardware` that the file tells.  host: the machine's name.
    kernel: as `host.machine.system` has it; empty where the file does not tell.  environment: that
    of the tool, where it keeps several of one machine.  left_out: benchmarks that hold no time, and
    why.
    """

    tool: str
    tool_version: str
    created: datetime
    revision: str | None
    host: str
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    benchmarks: Sequence[ForeignBenchmark]
    machine_label: str | None = None
    kernel: str = ""
    environment: str = ""
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """The same for the same content: a file that is brought in twice is one run."""
        content = [self.tool, self.revision, self.host, self.created.isoformat()]
        times = [[b.name, b.version, list(b.call_s), b.calls] for b in self.benchmarks]
        text = canonical_json([*content, times])
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{self.created.astimezone(UTC):%Y%m%d-%H%M%S}-{digest}"


def add_foreign(store: Store, foreign: ForeignRun) -> bool:
    """Record the run; False where the store holds it already.

    One that an interruption left half recorded is recorded anew.
    """
    run_id = foreign.run_id
    there = store.runs(run_id)
    if len(there):
        if there["status"].iloc[0] == "complete":
            return False
        store.delete_run(run_id)
    created = foreign.created.astimezone(UTC).isoformat(timespec="microseconds")
    store.add_run(
        run_id,
        machine_id=_add_machine(store, foreign),
        command=["dnnbench", "import"],
        settings=_settings(foreign),
        seed=0,
        dnnbench_version=__version__,
        versions=foreign.versions,
        revision=foreign.revision,
        created=created,
    )
    cells = store.add_cells(run_id, _cells(foreign))
    visits = zip(cells, map(_visits, foreign.benchmarks), strict=True)
    facts = {"system": {"kernel": foreign.kernel}} if foreign.kernel else {}
    store.add_generation(run_id, 0, facts, dict(visits), created, finished=created)
    store.finish_run(run_id, "complete", finished=created)
    return True


def _add_machine(store: Store, foreign: ForeignRun) -> str:
    """By what the file tells of it, which is less than dnnbench asks: a machine of its own, as
    no verdict holds between times whose machines may differ.
    """
    host = hashlib.sha256(foreign.host.encode()).hexdigest()[:16]
    machine = machine_id(foreign.hardware, host)
    facts = {"hardware": foreign.hardware, "system": {}}
    store.add_machine(machine, facts=facts, host_hash=host, label=foreign.machine_label)
    return machine


def _arm(foreign: ForeignRun) -> Arm:
    return Arm(foreign.tool, MODE, environment=foreign.environment)


def _settings(foreign: ForeignRun) -> dict[str, Any]:
    origin = f"imported from {foreign.tool} {foreign.tool_version}".rstrip()
    return {
        "base": _arm(foreign).name,
        "settings": {"generations": 1, "threads": [1]},
        "notes": [f"{origin}: one process, so no time has an interval", *foreign.notes],
        "imported": {"tool": foreign.tool, "version": foreign.tool_version},
    }


def _cells(foreign: ForeignRun) -> list[dict[str, Any]]:
    arm, times = _arm(foreign), Counter[str]()
    rows = []
    for benchmark in foreign.benchmarks:
        times[benchmark.name] += 1
        again = f" ({times[benchmark.name]})" if times[benchmark.name] > 1 else ""
        key = arm.to_json()
        rows.append(
            {**key, "environment": arm.environment or None}
            | {
                "workload": f"{benchmark.name}{again}",
                "spec_hash": benchmark.version,
                "arm": arm.name,
                "arm_key": key,
                "batch_size": 1,
                "phase": Phase.INFER,
                "status": "ok",
                "calls": benchmark.calls,
                "rank_group": None,
            }
        )
    return rows


def _visits(benchmark: ForeignBenchmark) -> Any:
    """(n, 5) rows of the store."""
    import numpy as np

    call_s = np.asarray(benchmark.call_s, float)
    rounds, zeros = np.arange(len(call_s)), np.zeros(len(call_s))
    calls = np.full(len(call_s), benchmark.calls)
    return np.stack([rounds, zeros, calls, calls * call_s, zeros], axis=1)
