"""A store of results, open: what a run writes into it and what is read from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, Table, func, insert, select, update

from dnnbench.store.cell_rows import changed_cell, new_cell
from dnnbench.store.database import open_engine
from dnnbench.store.deleting import delete_rows
from dnnbench.store.identity import IDENTITY_VERSION, machine_class
from dnnbench.store.patience import NONE, Patience
from dnnbench.store.reading import StoredRuns
from dnnbench.store.rows import full_row, plain, put_rows
from dnnbench.store.samples import pack

from ..errors import StoreError
from ..store import schema

if TYPE_CHECKING:
    import numpy as np

FINAL_STATUSES = ("complete", "interrupted", "failed")


def utc_now() -> str:
    """The time now, UTC, as ISO 8601 text to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def open_store(target: str | Path, create: bool = True, patience: Patience = NONE) -> "Store":
    """The store at a path (SQLite; folders are made) or at an address
    (postgresql://USER@HOST/DATABASE).

    A new one gets the current schema, an older one is brought up to date.
    With create=False a file that is not there is an error.
    Raises StoreError where no store can be opened, saying why and what to do.
    patience: of what is done with the store once it is open.
    """
    return Store(open_engine(target, create), patience)


class Store(StoredRuns):
    """Measurements of many runs: what is written of them, and the frames of `StoredRuns`.

    Every method raises StoreError when the database refuses; then nothing of that call was written.
    While the database is away, each method waits as long as `patience` says.
    """

    def _change_run(
        self, run_id: str, change: Callable[[Connection], Any], once: Select[Any] | None = None
    ) -> None:
        """A change of what a run holds, which counts as one edition more."""

        def edit(connection: Connection) -> None:
            query = update(schema.RUN).where(schema.RUN.c.run_id == run_id)
            if connection.execute(query.values(edition=schema.RUN.c.edition + 1)).rowcount != 1:
                raise StoreError(
                    f"store {self.place}: it has no run {run_id!r}; add_run comes first"
                )
            change(connection)

        self.write(edit, once)

    # Writing: the machine and the run.

    def add_machine(
        self, machine_id: str, *, facts: Mapping[str, Any], host_hash: str, label: str | None = None
    ) -> None:
        """Record a machine.

        One that is known gets the facts found last, and the label if there is a new one.
        """
        row = {"machine_id": machine_id, "facts": facts, "host_hash": host_hash, "label": label}
        named = {
            "machine_class": machine_class(facts.get("hardware", {})),
            "identity_version": IDENTITY_VERSION,
        }
        full = full_row(schema.MACHINE, row | named | {"aliases": []})
        kept = {"machine_id", "aliases"} if label else {"machine_id", "aliases", "label"}
        changes = {name: value for name, value in full.items() if name not in kept}

        def put(connection: Connection) -> None:
            this = schema.MACHINE.c.machine_id == machine_id
            if not connection.execute(update(schema.MACHINE).where(this).values(changes)).rowcount:
                connection.execute(insert(schema.MACHINE), [full])

        self.write(put)

    def label_machine(self, machine_id: str, label: str | None) -> None:
        """Give a recorded machine a name, in place of any other; None takes it away."""

        def change(connection: Connection) -> None:
            this = schema.MACHINE.c.machine_id == machine_id
            if not connection.execute(
                update(schema.MACHINE).where(this).values(label=plain(label))
            ).rowcount:
                raise StoreError(
                    f"store {self.place}: it has no machine {machine_id!r}; "
                    "`dnnbench machine list` has all"
                )

        self.write(change)

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
        created: str | None = None,
    ) -> None:
        """Begin a run, with status `running`, on a machine that add_machine recorded.

        created: now, if not told.
        """
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
                "created": created or utc_now(),
                "status": "running",
                "edition": 0,
            },
        )
        once = select(schema.RUN.c.run_id).where(schema.RUN.c.run_id == run_id)
        self.write(lambda c: c.execute(insert(schema.RUN), [row]), once)

    def resume_run(self, run_id: str) -> None:
        """Set a run to `running` again."""
        self._set_status(run_id, "running", None)

    def finish_run(self, run_id: str, status: str, finished: str | None = None) -> None:
        """End a run as complete, interrupted or failed.  finished: now, if not told."""
        if status not in FINAL_STATUSES:
            raise StoreError(
                f"run: got status {status!r}, expected one of {', '.join(FINAL_STATUSES)}"
            )
        self._set_status(run_id, status, finished or utc_now())

    def label_run(self, run_id: str, label: str | None) -> None:
        """Give a run a name, in place of any other; None takes it away."""
        query = update(schema.RUN).where(schema.RUN.c.run_id == run_id)
        self._change_run(run_id, lambda c: c.execute(query.values(label=plain(label))))

    def delete_run(self, run_id: str) -> None:
        """Take a run out, with everything that was recorded of it; its machine stays."""
        self._change_run(run_id, lambda c: delete_rows(c, run_id))

    def _set_status(self, run_id: str, status: str, finished: str | None) -> None:
        query = update(schema.RUN).where(schema.RUN.c.run_id == run_id)
        self._change_run(
            run_id, lambda c: c.execute(query.values(status=status, finished=finished))
        )

    # Writing: cells and what was measured.

    def add_cells(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add the cells of a plan, in its order, as `pending` unless they say otherwise.

        Returns their ids.

        A row names columns of the cells frame; arm_key may be a mapping.
        The ids follow from the identity.
        """
        cells = [new_cell(run_id, row) for row in rows]
        ids = [cell["cell_id"] for cell in cells]

        def add(connection: Connection) -> None:
            count = select(func.count()).where(schema.CELL.c.run_id == run_id)
            first = connection.execute(count).scalar_one()
            placed = [cell | {"ordinal": first + index} for index, cell in enumerate(cells)]
            if placed:
                connection.execute(insert(schema.CELL), placed)

        self._change_run(
            run_id, add, select(schema.CELL.c.cell_id).where(schema.CELL.c.cell_id.in_(ids))
        )
        return ids

    def update_cells(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Change cells: each row has a cell_id and some of the columns named in CHANGING."""
        changes = [changed_cell(row) for row in rows]
        self._change_run(run_id, lambda c: self._update_cells(c, run_id, changes))

    def _update_cells(
        self, connection: Connection, run_id: str, rows: Iterable[Mapping[str, Any]]
    ) -> None:
        for row in rows:
            changes = {name: value for name, value in row.items() if name != "cell_id"}
            self._update_cell(connection, run_id, row.get("cell_id"), changes)

    def _update_cell(
        self, connection: Connection, run_id: str, cell: str | None, changes: dict[str, Any]
    ) -> None:
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
        *,
        finished: str | None = None,
        first_calls: Iterable[Mapping[str, Any]] = (),
        cells: Iterable[Mapping[str, Any]] = (),
        figures: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Commit a generation: its facts, and the visits of each cell as an (n, 5) array
        (see samples.pack).

        first_calls, cells: rows that `add_first_calls` and `update_cells` would take.
        figures: rows of the table, without run and generation.
        finished: now, if not told. One transaction: after it returns the generation survives
        a kill, before that none of it is there.
        """
        head = {"run_id": run_id, "generation": generation, "started": started, "facts": facts}
        head = full_row(schema.GENERATION, head | {"finished": finished or utc_now()})
        rows = [
            full_row(
                schema.SAMPLE_BLOCK,
                {"cell_id": cell, "generation": generation} | asdict(pack(visits)),
            )
            for cell, visits in blocks.items()
        ]
        firsts = [full_row(schema.FIRST_CALL, {**row, "run_id": run_id}) for row in first_calls]
        changes = [changed_cell(row) for row in cells]
        of_this = {"run_id": run_id, "generation": generation}
        counts = [full_row(schema.FIGURE, {**row, **of_this}) for row in figures]

        # Rows are made before the transaction begins, which holds the store for others.
        def add(connection: Connection) -> None:
            connection.execute(insert(schema.GENERATION), [head])
            if rows:
                connection.execute(insert(schema.SAMPLE_BLOCK), rows)
            put_rows(connection, schema.FIRST_CALL, firsts)
            put_rows(connection, schema.FIGURE, counts)
            self._update_cells(connection, run_id, changes)

        this = (schema.GENERATION.c.run_id == run_id) & (
            schema.GENERATION.c.generation == generation
        )
        self._change_run(run_id, add, select(schema.GENERATION.c.run_id).where(this))

    def add_first_calls(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record what importing, building and the first call took.

        A row of the same identity is replaced.
        """
        self._put(schema.FIRST_CALL, run_id, rows)

    def add_agreement(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record checks of agreement; a row of the same identity is replaced."""
        self._put(schema.AGREEMENT, run_id, rows)

    def add_findings(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record what a gate found of cells; a row of the same cell is replaced."""
        self._put(schema.FINDING, run_id, rows)

    def add_epochs(self, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record epochs of training; a row of the same identity is replaced."""
        self._put(schema.EPOCH, run_id, rows)

    def _put(self, table: Table, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        full = [full_row(table, {**row, "run_id": run_id}) for row in rows]
        self._change_run(run_id, lambda c: put_rows(c, table, full))
