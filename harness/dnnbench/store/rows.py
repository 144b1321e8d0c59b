"""Rows on their way into a table: names checked, values made plain, inserted or replaced."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from dnnbench.store.schema import key_names

from ..errors import StoreError
from ..masking import masked
from ..wording import near_miss

PLAIN = (int, bool, type(None))
"""Types of which every value is plain as it is."""


def plain(value: Any) -> Any:
    """The value in Python's own types, as both databases take it.

    NumPy values become numbers and lists; a text loses what no database holds
    (NUL, undecodable bytes) to the replacement character, and passwords (`masking`);
    NaN becomes None, as SQLite makes it NULL anyway. Collections go to json_ready.
    """
    if type(value) in PLAIN:
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str):
        return masked(_encodable(value))
    if isinstance(value, Mapping | list | tuple):
        return json_ready(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _encodable(text: str) -> str:
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean if clean.isascii() else clean.encode("utf-8", "replace").decode("utf-8")


def json_ready(value: Any) -> Any:
    """The same for what becomes JSON, all the way down.

    There an infinite number is None as well.
    """
    if type(value) in PLAIN or isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain(str(key)): json_ready(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(entry) for entry in value]
    value = plain(value)
    return None if isinstance(value, float) and math.isinf(value) else value


def full_row(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with every column of the table, absent ones None.

    Raises StoreError for a name that is no column, and where a column that must have
    a value has none.
    """
    check_names(table, row, [column.name for column in table.columns])
    filled = {column.name: plain(row.get(column.name)) for column in table.columns}
    missing = [
        column.name
        for column in table.columns
        if not column.nullable and filled[column.name] is None
    ]
    if missing:
        raise StoreError(f"table {table.name}: a row lacks {', '.join(missing)}; got {sorted(row)}")
    return filled


def check_names(table: Table, names: Iterable[str], allowed: Collection[str]) -> None:
    """Raises StoreError at the first name that is not allowed, with the one that was
    perhaps meant.
    """
    for name in names:
        if name not in allowed:
            hint = near_miss(name, allowed) or f"; expected some of {', '.join(allowed)}"
            raise StoreError(f"table {table.name}: got {name!r}{hint}")


def key_of(table: Table) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """The function that gives a row's primary key."""
    names = key_names(table)
    return lambda row: tuple(row[name] for name in names)


def stored_keys(connection: Connection, table: Table) -> set[tuple[Any, ...]]:
    """Primary keys of the rows that the table holds."""
    query = select(*table.primary_key.columns)
    return {tuple(row) for row in connection.execute(query)}


def put_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the full rows; of a row whose key is there already, replace every other column."""
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    names = key_names(table)
    query = insert(table)
    new = {
        column.name: query.excluded[column.name]
        for column in table.columns
        if column.name not in names
    }
    connection.execute(
        query.on_conflict_do_update(index_elements=names, set_=new), [dict(row) for row in rows]
    )
