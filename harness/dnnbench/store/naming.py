"""Machines of older stores, named by all that their dnnbench knew:
named anew by what names a machine today.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Integer,
    Row,
    Text,
    column,
    delete,
    insert,
    select,
    table,
    update,
)

from dnnbench.store.engine import change_tables
from dnnbench.store.identity import IDENTITY_VERSION, machine_class, machine_id, names_machine

MACHINE = table(
    "machine",
    column("machine_id", Text), column("label", Text), column("facts", JSON),
    column("host_hash", Text), column("machine_class", Text), column("identity_version", Integer),
    column("aliases", JSON),
)  # fmt: skip
RUN = table("run", column("machine_id", Text), column("created", Text))
"""As they are at this version: the schema's own may gain columns."""


def name_machines(connection: Connection) -> None:
    """The migration: rows that turn out to be one machine become one.

    One that lacks a fact stays alone, under its old id.
    """
    change_tables(connection, "ALTER TABLE machine ADD COLUMN machine_class TEXT")
    change_tables(
        connection, "ALTER TABLE machine ADD COLUMN identity_version INTEGER NOT NULL DEFAULT 1"
    )
    change_tables(connection, "ALTER TABLE machine ADD COLUMN aliases JSON NOT NULL DEFAULT '[]'")
    renamed: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in _oldest_first(connection):
        hardware = _hardware(row)
        this_row = MACHINE.c.machine_id == row.machine_id
        connection.execute(
            update(MACHINE).where(this_row).values(machine_class=machine_class(hardware))
        )
        if names_machine(hardware):
            renamed[machine_id(hardware, row.host_hash)].append(row)
    for name, rows in renamed.items():
        _rename(connection, name, rows)


def _oldest_first(connection: Connection) -> list[Row[Any]]:
    """By the newest run of each."""
    runs = connection.execute(select(RUN.c.machine_id, RUN.c.created).order_by(RUN.c.created))
    newest = {run.machine_id: run.created for run in runs}
    query = select(MACHINE.c.machine_id, MACHINE.c.label, MACHINE.c.facts, MACHINE.c.host_hash)
    rows: list[Any] = list(connection.execute(query))
    return sorted(rows, key=lambda row: newest.get(row.machine_id, ""))


def _hardware(row: Row[Any]) -> Mapping[str, Any]:
    hardware: Mapping[str, Any] | None = row.facts.get("hardware")
    return hardware or {}


def _rename(connection: Connection, name: str, rows: list[Row[Any]]) -> None:
    """One row under the new id: the facts found last, the label given last,
    the old ids as aliases.
    """
    newest, labels = rows[-1], [row.label for row in rows if row.label]
    aliases = [row.machine_id for row in rows]
    values = {
        "machine_id": name,
        "label": labels[-1] if labels else None,
        "facts": newest.facts,
        "host_hash": newest.host_hash,
        "machine_class": machine_class(_hardware(newest)),
        "identity_version": IDENTITY_VERSION,
        "aliases": aliases,
    }
    connection.execute(insert(MACHINE).values(values))
    connection.execute(update(RUN).where(RUN.c.machine_id.in_(aliases)).values(machine_id=name))
    connection.execute(delete(MACHINE).where(MACHINE.c.machine_id.in_(aliases)))
