"""Queries whose answer is a pandas DataFrame, with the columns and types
that `columns` registers.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select

from dnnbench.store.columns import COLUMNS, FRAMES, OBJECT
from dnnbench.store.engine import DamagedValue
from dnnbench.store.rows import json_ready
from dnnbench.store.samples import COLUMNS as VISIT
from dnnbench.store.samples import Block, unpack
from dnnbench.store.schema import CELL, MACHINE, RUN, SAMPLE_BLOCK, key_names

from ..masking import masked, masked_values
from ..wording import shortened

if TYPE_CHECKING:
    import pandas as pd

MOST_PARAMETERS = 10_000  # SQLite takes 32,766 in one query
JSON_KINDS = {"command": object, "aliases": list, "settings": dict, "versions": dict, "facts": dict}
"""What the columns of JSON hold (nothing reads a command apart); every other object is text."""
NAMES = ("run_id", "label", "revision", "created", "machine_label")
"""The columns that a run is found by."""
RENAMED = {"machine_label": MACHINE.c.label}


def frame(name: str, rows: Iterable[Sequence[Any]]) -> "pd.DataFrame":
    """The frame of that name from rows in the order of its registered columns, however few.

    No password in it.

    DamagedValue for a value of another kind than its column holds.
    """
    return _frame(FRAMES[name], rows)


def _frame(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> "pd.DataFrame":
    import pandas as pd

    values = list(zip(*rows, strict=True)) or [()] * len(names)
    index = pd.RangeIndex(len(values[0]))
    columns = zip(names, values, strict=True)
    return pd.DataFrame({name: _series(name, entries, index) for name, entries in columns}, index)


def _series(column: str, entries: Sequence[Any], index: "pd.Index") -> "pd.Series":
    """index: the frame's, which pandas need not put together from its columns' then."""
    import pandas as pd

    dtype = COLUMNS[column].dtype
    if dtype == OBJECT:
        kind = JSON_KINDS.get(column, str)
        return pd.Series([_readable(column, entry, kind) for entry in entries], index, dtype)
    try:
        return pd.Series(list(entries), index, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise DamagedValue(
            f"got a value for {column} that is no {dtype} ({shortened(str(error), 100)})"
        ) from error


def _readable(column: str, entry: Any, kind: type) -> Any:
    """The entry without passwords."""
    if entry is not None and not isinstance(entry, kind):
        raise DamagedValue(
            f"got {shortened(masked(repr(entry)), 60)} for {column}, expected a {kind.__name__}"
        )
    return masked_values(entry)


def records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows as dictionaries of plain Python values, whatever is missing as None:
    ready for JSON.
    """
    columns = [_plain_column(column) for _, column in table.items()]
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain_column(column: "pd.Series[Any]") -> list[Any]:
    present = column.notna().tolist()
    values = zip(column.tolist(), present, strict=True)
    return [json_ready(value) if is_there else None for value, is_there in values]


def runs(connection: Connection, run_ids: str | Iterable[str] | None) -> "pd.DataFrame":
    """Frame `runs`, oldest first."""
    query = (
        _select("runs", RUN, MACHINE).join_from(RUN, MACHINE).order_by(RUN.c.created, RUN.c.run_id)
    )
    return frame("runs", _of_runs(connection, query, RUN, run_ids))


def run_names(connection: Connection) -> "pd.DataFrame":
    """What users name runs by: columns of frame `runs`, oldest first."""
    names = select(*(_column(name, (RUN, MACHINE)) for name in NAMES))
    query = names.join_from(RUN, MACHINE).order_by(RUN.c.created, RUN.c.run_id)
    return _frame(NAMES, connection.execute(query).all())


def machines(connection: Connection) -> "pd.DataFrame":
    """Frame `machines`."""
    return frame(
        "machines", connection.execute(_select("machines", MACHINE).order_by(MACHINE.c.machine_id))
    )


def cells(connection: Connection, run_ids: str | Iterable[str] | None) -> "pd.DataFrame":
    """Frame `cells`, oldest run first, then in the order of the plan."""
    tables = (CELL, RUN, MACHINE)
    query = _select("cells", *tables).join_from(CELL, RUN).join(MACHINE)
    query = query.order_by(RUN.c.created, RUN.c.run_id, CELL.c.ordinal)
    return frame("cells", _of_runs(connection, query, CELL, run_ids))


def of_runs(
    connection: Connection, name: str, table: Table, run_ids: str | Iterable[str] | None
) -> "pd.DataFrame":
    """A frame that is one table, ordered by its primary key."""
    query = _select(name, table).order_by(*(table.c[key] for key in key_names(table)))
    return frame(name, _of_runs(connection, query, table, run_ids))


def samples(connection: Connection, cell_ids: str | Iterable[str]) -> "pd.DataFrame":
    """Frame `samples`: every visit of the cells, exactly as it was stored."""
    import numpy as np
    import pandas as pd

    heads, visits = [], [np.empty((0, len(VISIT)))]
    for cell, generation, block in _blocks(connection, cell_ids):
        heads.append((cell, generation, block.n))
        visits.append(unpack(block))
    rows = np.concatenate(visits)
    cells, generations, counts = zip(*heads, strict=True) if heads else ((), (), ())
    columns = {
        "cell_id": np.repeat(np.array(cells, dtype=object), np.array(counts, dtype=int)),
        "generation": np.repeat(np.array(generations, dtype=int), np.array(counts, dtype=int)),
    } | {name: rows[:, place] for place, name in enumerate(VISIT)}
    return pd.DataFrame(
        {name: pd.Series(columns[name], dtype=COLUMNS[name].dtype) for name in FRAMES["samples"]}
    )


def _blocks(
    connection: Connection, cell_ids: str | Iterable[str]
) -> Iterator[tuple[str, int, Block]]:
    names = ("blob", "n", "layout_version", "dtype", "columns")
    distinct = {cell_ids} if isinstance(cell_ids, str) else set(cell_ids)
    wanted = iter(sorted(distinct))
    while chunk := list(islice(wanted, MOST_PARAMETERS)):
        query = select(SAMPLE_BLOCK).where(SAMPLE_BLOCK.c.cell_id.in_(chunk))
        query = query.order_by(SAMPLE_BLOCK.c.cell_id, SAMPLE_BLOCK.c.generation)
        for row in connection.execute(query).mappings():
            yield row["cell_id"], row["generation"], Block(**{name: row[name] for name in names})


def _select(name: str, *tables: Table) -> Select[Any]:
    return select(*(_column(column, tables).label(column) for column in FRAMES[name]))


def _column(name: str, tables: tuple[Table, ...]) -> ColumnElement[Any]:
    return (
        RENAMED[name]
        if name in RENAMED
        else next(table.c[name] for table in tables if name in table.c)
    )


def _of_runs(
    connection: Connection, query: Select[Any], table: Table, run_ids: str | Iterable[str] | None
) -> Sequence[Row[Any]]:
    if run_ids is None:
        return connection.execute(query).all()
    wanted = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    return connection.execute(query.where(table.c.run_id.in_(wanted))).all()
