"""Passwords that older versions stored: masked in their rows, then gone from the bytes
of their file.
"""

import json
from time import monotonic, sleep
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    cast,
    literal,
    or_,
    select,
    update,
)

from ..errors import StoreError
from ..masking import masked, masked_values, masked_words
from . import engine as opening

WITH_FREE_TEXTS = ("machine", "run", "cell", "generation", "agreement")
BETWEEN_S = 0.02
SCRUBBED = 1
"""SQLite's `user_version` of a file without a byte from before passwords were masked."""


def mask_stored(connection: Connection) -> None:
    """The migration: every text and JSON value of the tables that hold free texts is masked
    where it stands.
    """
    stored = MetaData()  # as it is there: the tables of this version may have other columns
    stored.reflect(connection, only=WITH_FREE_TEXTS)
    for name in WITH_FREE_TEXTS:
        table = stored.tables[name]
        for column in table.columns:
            if not column.primary_key and isinstance(column.type, String | JSON):
                _mask_column(connection, table, column)


def _mask_column(connection: Connection, table: Table, column: Column[Any]) -> None:
    keys, text = list(table.primary_key.columns), cast(column, Text)
    suspicious = or_(text.ilike("%:/%"), text.ilike("%pass%"))
    for *key, text_of_row in connection.execute(select(*keys, text).where(suspicious)).all():
        this_row = (name == value for name, value in zip(keys, key, strict=True))
        connection.execute(
            update(table).where(*this_row).values({column.name: _clean(column, text_of_row)})
        )


def _clean(column: Column[Any], text: str) -> Any:
    if not isinstance(column.type, JSON):
        return masked(text)
    try:
        value = json.loads(text)
    except ValueError:  # only SQLite keeps broken JSON; whoever reads it is told so then
        return literal(masked(text), Text)
    words = (
        column.name == "command"
        and isinstance(value, list)
        and all(isinstance(word, str) for word in value)
    )
    return masked_words(value) if words else masked_values(value)


def mark_scrubbed(connection: Connection) -> None:
    """Note in a file made anew that there is nothing to scrub."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {SCRUBBED}")


def scrub(engine: Engine) -> None:
    """Rewrite a SQLite file, once: pages that were freed and the write-ahead log still hold
    what was masked.

    A PostgreSQL server rewrites its files by itself (VACUUM).
    Raises StoreError where another process reads all the while;
    the next one to open the store tries again.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        (version,) = cursor.execute("PRAGMA user_version").fetchone()
        if version < SCRUBBED:
            cursor.execute("VACUUM")
            if not _overwritten(cursor):
                text = (
                    f"another process has read it for {opening.BUSY_TIMEOUT_S} s, "
                    "so its old bytes could not be overwritten"
                )
                raise StoreError(
                    f"store {opening.place_of(engine)}: {text}; try again when that one has ended"
                )
            cursor.execute(f"PRAGMA user_version = {SCRUBBED}")
    finally:
        connection.close()


def _overwritten(cursor: Any) -> bool:
    """Whether the write-ahead log became part of the file, and empty, in `BUSY_TIMEOUT_S`.

    SQLite waits for readers and writers by itself. Where another process does the same at the
    same time, it says "busy" at once (https://www.sqlite.org/c3ref/wal_checkpoint_v2.html).
    """
    end = monotonic() + opening.BUSY_TIMEOUT_S
    while True:
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy or monotonic() > end:
            return not busy
        sleep(BETWEEN_S)
