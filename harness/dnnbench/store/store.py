"""A store of results, open: what a run writes into it and what is read from it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from dnnbench.errors import StoreError
from dnnbench.store import frames, schema
from dnnbench.store.engine import connect, database_errors, place_of, writer
from dnnbench.store.find import find_run
from dnnbench.store.identity import canonical_json, cell_id
from dnnbench.store.rows import check_names, full_row, json_ready, plain, put_rows, stored_keys
from dnnbench.store.samples import pack

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FINAL_STATUSES = ("complete", "interrupted", "failed")
CELL_STATUSES = ("pending", "ok", "failed", "unsupported", "skipped")
IDENTITY = ("workload", "spec_hash", "arm", "batch_size", "phase")
CHANGING = (
    "status", "reason", "calls", "flops", "bytes",
    "peak_rss_bytes", "peak_device_bytes", "unequal", "rank_group",
)  # fmt: skip


def utc_now() -> str:
    """The time now, UTC, as ISO 8601 text to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def open_store(target: str | Path, create: bool = True) -> "Store":
    """The store at a path (SQLite; folders are made) or at an address (postgresql://USER@HOST/DATABASE).

    A new one gets the current schema, an older one is brought up to date. With create=False a file that is
    not there is an error. Raises StoreError where no store can be opened, saying why and what to do.
    """
    engine = connect(target, create)
    try:
        with database_errors(engine):
            schema.prepare(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


class Store:
    """Measurements of many runs. Each method is one transaction; close it, or use it as a context manager.

    Every method raises StoreError when the database refuses; then nothing of that call was written.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._writer = writer(engine)
        self.place = place_of(engine)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; a SQLite store is one file afterwards."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from, all queries seeing one state (on SQLite)."""
        with database_errors(self._engine), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are committed together at the end, or not at all."""
        with database_errors(self._engine), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _changing(self, run_id: str) -> Iterator[Connection]:
        with self.writing() as connection:
            query = update(schema.RUN).where(schema.RUN.c.run_id == run_id)
            if connection.execute(query.values(edition=schema.RUN.c.edition + 1)).rowcount != 1:
                raise StoreError(f"store {self.place}: it has no run {run_id!r}; add_run comes first")
            yield connection

    # Writing: the machine and the run.

    def add_machine(
        self, machine_id: str, *, facts: Mapping[str, Any], host_hash: str, label: str | None = None
    ) -> None:
        """Record a machine; one that is known gets the facts and the label found last."""
        row = full_row(
            schema.MACHINE, {"machine_id": machine_id, "facts": facts, "host_hash": host_hash, "label": label}
        )
        with self.writing() as connection:
            put_rows(connection, schema.MACHINE, [row], stored_keys(connection, schema.MACHINE))

    def add_run(
        self,
        run_id: str,
        *,
        machine_id: str,
        command: list[str],
        settings: Mapping[str, Any],
        seed: int,
        dnnbench_version: str,
        versions: Mapping[str, Any],
        label: str | None = None,
        revision: str | None = None,
    ) -> None:
        """Begin a run, with status `running`, on a machine that add_machine recorded."""
        row = full_row(
            schema.RUN,
            {
                "run_id": run_id,
                "machine_id": machine_id,
                "command": command,
                "settings": settings,
                "seed": seed,
                "dnnbench_version": dnnbench_version,
                "versions": versions,
                "label": label,
                "revision": revision,
                "created": utc_now(),
                "status": "running",
                "edition": 0,
            },
        )
        with self.writing() as connection:
            connection.execute(insert(schema.RUN), [row])

    def resume_run(self, run_id: str) -> None:
        """Set a run to `running` again."""
        self._set_status(run_id, "running", None)

    def finish_run(self, run_id: str, status: str) -> None:
        """End a run, now, as complete, interrupted or failed."""
        if status not in FINAL_STATUSES:
            raise StoreError(f"run: got status {status!r}, expected one of {', '.join(FINAL_STATUSES)}")
        self._set_status(run_id, status, utc_now())

    def _set_status(self, run_id: str, status: str, finished: str | None) -> None:
        query = update(schema.RUN).where(schema.RUN.c.run_id == run_id)
        with self._changing(run_id) as connection:
            connection.execute(query.values(status=status, finished=finished))

    # Writing: cells and what was measured.

    def add_cells(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add the cells of a plan, in its order, as `pending` unless they say otherwise; returns their ids.

        A row names columns of the cells frame; arm_key may be a mapping. The ids follow from the identity.
        """
        with self._changing(run_id) as connection:
            count = select(func.count()).where(schema.CELL.c.run_id == run_id)
            first = connection.execute(count).scalar_one()
            cells = [_cell(run_id, first + index, row) for index, row in enumerate(rows)]
            if cells:
                connection.execute(insert(schema.CELL), cells)
        return [cell["cell_id"] for cell in cells]

    def update_cells(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Change cells: each row has a cell_id and some of the columns named in CHANGING."""
        with self._changing(run_id) as connection:
            for row in rows:
                check_names(schema.CELL, row, ("cell_id", *CHANGING))
                _check_cell_status(row)
                changes = {name: plain(value) for name, value in row.items() if name != "cell_id"}
                self._update_cell(connection, run_id, row.get("cell_id"), changes)

    def _update_cell(self, connection: Connection, run_id: str, cell: str | None, changes: dict) -> None:
        chosen = (schema.CELL.c.cell_id == cell) & (schema.CELL.c.run_id == run_id)
        if connection.execute(update(schema.CELL).where(chosen).values(changes)).rowcount != 1:
            raise StoreError(f"store {self.place}: run {run_id} has no cell {cell!r}")

    def add_generation(
        self,
        run_id: str,
        generation: int,
        facts: Mapping[str, Any],
        blocks: Mapping[str, "np.ndarray"],
        started: str | None = None,
    ) -> None:
        """Commit a generation: its facts, and the visits of each cell as an (n, 5) array (see samples.pack).

        One transaction: after it returns the generation survives a kill, before that none of it is there.
        """
        head = {"run_id": run_id, "generation": generation, "started": started, "facts": facts}
        head = full_row(schema.GENERATION, head | {"finished": utc_now()})
        rows = [
            full_row(schema.SAMPLE_BLOCK, {"cell_id": cell, "generation": generation} | asdict(pack(visits)))
            for cell, visits in blocks.items()
        ]
        with self._changing(run_id) as connection:
            connection.execute(insert(schema.GENERATION), [head])
            if rows:
                connection.execute(insert(schema.SAMPLE_BLOCK), rows)

    def add_first_calls(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record what importing, building and the first call took; a row of the same identity is replaced."""
        self._put(schema.FIRST_CALL, run_id, rows)

    def add_agreement(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record checks of agreement; a row of the same identity is replaced."""
        self._put(schema.AGREEMENT, run_id, rows)

    def add_epochs(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record epochs of training; a row of the same identity is replaced."""
        self._put(schema.EPOCH, run_id, rows)

    def _put(self, table, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        full = [full_row(table, {**row, "run_id": run_id}) for row in rows]
        with self._changing(run_id) as connection:
            put_rows(connection, table, full, stored_keys(connection, table, table.c.run_id == run_id))

    # Reading. `run_ids` is one id, several, or None for all; the columns stand in columns.FRAMES.

    def runs(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Runs, oldest first, with the machine of each."""
        with self.reading() as connection:
            return frames.runs(connection, run_ids)

    def machines(self) -> "pd.DataFrame":
        """Machines with their facts."""
        with self.reading() as connection:
            return frames.machines(connection)

    def cells(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Cells in the order of their plan, oldest run first, each with its run, machine and versions."""
        with self.reading() as connection:
            return frames.cells(connection, run_ids)

    def samples(self, cell_ids: str | Iterable[str]) -> "pd.DataFrame":
        """Every visit of the cells, one row each, ordered by cell, generation, and time."""
        with self.reading() as connection:
            return frames.samples(connection, cell_ids)

    def generations(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Generations with their facts."""
        with self.reading() as connection:
            return frames.of_runs(connection, "generations", schema.GENERATION, run_ids)

    def first_calls(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """First calls of arms, by generation."""
        with self.reading() as connection:
            return frames.of_runs(connection, "first_calls", schema.FIRST_CALL, run_ids)

    def agreement(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Checks against the reference."""
        with self.reading() as connection:
            return frames.of_runs(connection, "agreement", schema.AGREEMENT, run_ids)

    def epochs(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Epochs of training."""
        with self.reading() as connection:
            return frames.of_runs(connection, "epochs", schema.EPOCH, run_ids)

    def done_generations(self, run_id: str) -> list[int]:
        """Generations of a run that are committed, in order: what --resume need not measure again."""
        return self.generations(run_id)["generation"].tolist()

    def find_run(self, text: str) -> str:
        """The id of the run meant: an id or its beginning, `latest`, or the newest of a label or revision."""
        return find_run(self.runs(), text, self.place)


def _cell(run_id: str, ordinal: int, row: Mapping[str, Any]) -> dict[str, Any]:
    row = {"status": "pending", **row, "run_id": run_id, "ordinal": ordinal, "cell_id": ""}
    if isinstance(row.get("arm_key"), Mapping):
        row["arm_key"] = canonical_json(json_ready(row["arm_key"]))
    _check_cell_status(row)
    row = full_row(schema.CELL, row)
    return row | {"cell_id": cell_id(run_id, *(row[name] for name in IDENTITY))}


def _check_cell_status(row: Mapping[str, Any]) -> None:
    status = row.get("status", "pending")
    if status not in CELL_STATUSES:
        raise StoreError(f"cell: got status {status!r}, expected one of {', '.join(CELL_STATUSES)}")
