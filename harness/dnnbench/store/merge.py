"""Bring the runs of one store into another, as often as one likes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, select, update

from dnnbench.store.rows import key_of, plain, put_rows, stored_keys
from dnnbench.store.schema import MACHINE, METADATA, RUN, VERSION

if TYPE_CHECKING:
    from dnnbench.store.database import Database

ROWS_AT_ONCE = 500


def merge(target: "Database", source: "Database") -> dict[str, int]:
    """Copy into `target` whatever only `source` holds.

    Returns the number of rows added to each table.

    Every row names itself on every machine alike, so that merging again adds nothing.
    Of a run that both hold, the copy with more writes behind it (`edition`) prevails.
    One transaction: all of it or nothing.
    """
    with source.reading() as outside, target.writing() as inside:
        newer = _newer_runs(inside, outside)
        _take_labels(inside, outside)
        _take_aliases(inside, outside)
        return {
            table.name: _merge_table(inside, outside, table, newer)
            for table in METADATA.sorted_tables
            if table is not VERSION
        }


def _newer_runs(inside: Connection, outside: Connection) -> set[str]:
    query = select(RUN.c.run_id, RUN.c.edition)
    ours = {run: edition for run, edition in inside.execute(query)}
    return {run for run, edition in outside.execute(query) if edition > ours.get(run, edition)}


def _take_labels(inside: Connection, outside: Connection) -> None:
    """A machine that has a label on one side alone keeps it on both."""
    query = select(MACHINE.c.machine_id, MACHINE.c.label).where(MACHINE.c.label.is_not(None))
    for machine, label in outside.execute(query).all():
        unnamed = (MACHINE.c.machine_id == machine) & MACHINE.c.label.is_(None)
        inside.execute(update(MACHINE).where(unnamed).values(label=plain(label)))


def _take_aliases(inside: Connection, outside: Connection) -> None:
    """A machine that both sides hold is known by the older ids of both."""
    query = select(MACHINE.c.machine_id, MACHINE.c.aliases)
    aliases_inside = {machine: aliases for machine, aliases in inside.execute(query)}
    for machine, aliases in outside.execute(query).all():
        every = sorted({*aliases, *aliases_inside.get(machine, aliases)})
        if machine in aliases_inside and every != sorted(aliases_inside[machine]):
            inside.execute(
                update(MACHINE).where(MACHINE.c.machine_id == machine).values(aliases=every)
            )


def _merge_table(inside: Connection, outside: Connection, table: Table, newer: set[str]) -> int:
    stored, key = stored_keys(inside, table), key_of(table)
    added = 0
    query = select(table).execution_options(yield_per=ROWS_AT_ONCE)
    for part in outside.execute(query).mappings().partitions():
        rows = [_by_text(row) for row in part]
        new = [row for row in rows if key(row) not in stored]
        wanted = new + [row for row in rows if key(row) in stored and row.get("run_id") in newer]
        # Only what an older dnnbench wrote while this one brought its store up to date still
        # holds a password.
        put_rows(inside, table, list(map(_clean, wanted)))
        added += len(new)
    return added


def _by_text(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _clean(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in row.items()}
