"""dnnbench.reproduce: a measured cell as a script of its framework alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .. import __version__
from ..data.dataset import Dataset, load
from ..errors import DataError, UsageError
from ..execution.batch import timing_batch
from ..execution.finding_cells import find_cell
from ..execution.measured import Measured, measured
from ..execution.request import Request
from ..execution.settings import STORE
from ..execution.weights_file import load_weights
from ..plugins.discovery import load_script_writer, plugins
from ..protocol.timing import Timing
from ..regular import home_expanded
from ..scripts.assembling import Script, script
from ..scripts.provenance import Provenance
from ..scripts.writer import ScriptRequest
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..store.engine import refuse_to_overwrite
from ..store.run_rows import CellRow
from ..store.store import open_store
from ..worker.environment import STEADY_TUNABLES

SUFFIX = ".py"


@dataclass(frozen=True)
class ReproducedCell:
    """What was written, and of what."""

    run: str
    cell: str
    arm: str
    workload: str
    batch_size: int
    phase: str
    call_s: float | None
    """Median seconds a call as measured; None where nothing was."""
    files: list[str]
    """The script first."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script."""
        return asdict(self)


def reproduce(
    run: str, cell: str, output: str | Path, *, store: str | Path = STORE
) -> ReproducedCell:
    """Write a cell as a script that needs its framework and NumPy, and no dnnbench.

    run: an id or its beginning, a label, a revision, or `latest`.  cell: its id, or words that name
    it: `torch float32 mlp_digits/64 infer`.  output: the script, whose arrays go into an .npz
    beside it; run, it prints the time of a call.  Raises StoreError where there is no such run,
    UsageError for no such cell and for one whose script is not written yet, DataError where its
    data or weights are gone.
    """
    path = home_expanded(output)
    if path.suffix != SUFFIX or not path.stem.isidentifier():
        raise UsageError(
            f"reproduce: {path.name} is no name of a script; name one such as mlp.py with -o"
        )
    with open_store(store, create=False) as opened:
        recorded = measured(opened, opened.find_run(run))
    row = find_cell(recorded.cells, cell, recorded.run.run_id)
    written = _script(recorded, row, path.stem)
    call_s = _call_s(recorded, row)
    return ReproducedCell(
        run=recorded.run.run_id,
        cell=row.cell_id,
        arm=row.arm,
        workload=row.workload,
        batch_size=row.batch_size,
        phase=str(row.phase),
        call_s=call_s,
        files=[str(file) for file in _saved(written, path)],
    )


def _script(recorded: Measured, row: CellRow, name: str) -> Script:
    request = Request.from_json(recorded.run.settings)
    workload = _workload(request, row)
    seed = request.settings.seed
    weights, made_by = _weights(request, workload, seed)
    info = plugins().backend(row.backend)
    if not info.script:
        raise UsageError(
            f"reproduce: {info.title}'s plugin does not say how its cells are written as scripts "
            "(BackendInfo.script); take an arm of another backend"
        )
    _refuse_another(recorded, row, request, workload)
    dataset = load(workload, request.data or None)
    _refuse_other_data(recorded, row, dataset)
    wanted = ScriptRequest(
        workload=workload,
        arm=row.key.arm,
        phase=row.phase,
        seed=seed,
        batch=timing_batch(dataset, row.batch_size, seed),
        weights=weights,
        name=name,
    )
    origin = _provenance(recorded, row, made_by, request.settings.memory)
    return script(load_script_writer(info.script), wanted, origin)


def _refuse_another(recorded: Measured, row: CellRow, request: Request, workload: Workload) -> None:
    """UsageError where a script would not be of what was measured."""
    if request.settings.timing is not Timing.LATENCY:
        raise UsageError(
            f"reproduce: run {recorded.run.run_id} timed calls that none was waited for "
            f"({request.settings.timing}); a script waits for each, and one that does not is not "
            "written yet"
        )
    if workload.spec_hash != row.spec_hash:
        raise UsageError(
            f"reproduce: '{workload.name}' meant another network when it was measured (spec "
            f"{row.spec_hash}, now {workload.spec_hash}); measure it anew"
        )


def _refuse_other_data(recorded: Measured, row: CellRow, dataset: Dataset) -> None:
    measured_on = recorded.run.settings.get("data_facts", {}).get(row.workload, {})
    for name, value in measured_on.items():
        if dataset.facts.get(name) != value:
            raise DataError(
                f"data of '{row.workload}' are others than were measured: {name} was {value}, is "
                f"{dataset.facts.get(name)}; bring the measured ones back, or measure anew"
            )


def _workload(request: Request, row: CellRow) -> Workload:
    """As the run stored it: a file that it came from may be gone."""
    for workload in request.workloads:
        if workload.name == row.workload:
            return workload
    raise UsageError(f"reproduce: the run's settings hold no workload '{row.workload}'")


def _weights(
    request: Request, workload: Workload, seed: int
) -> tuple[Mapping[str, np.ndarray], str]:
    if not request.weights:
        return initial_weights(workload.model, seed), f"initial ones of seed {seed}"
    return load_weights(request.weights, workload), f"those of {Path(request.weights).name}"


def _provenance(recorded: Measured, row: CellRow, weights: str, memory: str) -> Provenance:
    run = recorded.run
    calls = row.calls or 1
    return Provenance(
        run=run.run_id,
        cell=row.cell_id,
        dnnbench=__version__,
        call_s=_call_s(recorded, row),
        visits=len(recorded.visits[row.cell_id].call_s) if row.cell_id in recorded.visits else 0,
        calls=calls,
        machine=run.machine_label or run.machine_class or f"machine {run.machine_id[:8]}",
        versions=_versions(recorded, row),
        weights=weights,
        variables=_tunables() if memory == "steady" else {},
    )


def _call_s(recorded: Measured, row: CellRow) -> float | None:
    visits = recorded.visits.get(row.cell_id)
    return None if visits is None else float(median(visits.call_s))


def _versions(recorded: Measured, row: CellRow) -> dict[str, str]:
    """As the arm's own interpreter told them; else as dnnbench's did."""
    for facts in recorded.facts:
        for arm, versions in facts.versions.items():
            if arm.name == row.arm and versions:
                return {name: str(version) for name, version in versions.items()}
    return {name: str(version) for name, version in recorded.run.versions.items()}


def _tunables() -> dict[str, str]:
    """By which workers keep freed memory; read as a process starts."""
    return {"GLIBC_TUNABLES": ":".join(f"{k}={v}" for k, v in STEADY_TUNABLES.items())}


def _saved(written: Script, path: Path) -> list[Path]:
    files = {path: written.text.encode()}
    files |= {path.with_name(name): content for name, content in written.beside.items()}
    try:
        for file, content in files.items():
            refuse_to_overwrite(file)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"reproduce: {path} cannot be written ({error.strerror}); name another file with -o"
        ) from error
    return list(files)
