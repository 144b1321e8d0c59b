"""An open database of results: transactions that outlast its absence, and a file that was moved."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, Select

from dnnbench.store.engine import connect, database_errors, file_of, place_of, writer
from dnnbench.store.merge import merge
from dnnbench.store.patience import NONE, Patience

from ..store import schema
from ..wording import counted

Result = TypeVar("Result")


def open_engine(target: str | Path, create: bool) -> Engine:
    """The engine of a database at a path or an address, with the current schema.

    StoreError where it cannot be opened, or is not there and `create` is False.
    """
    engine = connect(target, create)
    try:
        with database_errors(engine):
            schema.prepare(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


class Database:
    """One transaction a call; close it, or use it as a context manager.

    While the database is away, each call waits as long as `patience` says.
    """

    def __init__(self, engine: Engine, patience: Patience = NONE) -> None:
        self._engine = engine
        self._writer = writer(engine)
        self.place = place_of(engine)
        self._patience = patience
        self._file = file_of(engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; a SQLite store is one file afterwards."""
        self._engine.dispose()

    @property
    def folder(self) -> Path | None:
        """Where the file of a SQLite store lies; None for a server."""
        return Path(self.place).parent if self._engine.dialect.name == "sqlite" else None

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
        if file_of(self._engine) != self._file:
            self._write_anew()

    def _write_anew(self) -> None:
        """The file was removed or replaced while it was open, where SQLite still reads and writes
        it: nothing is lost yet.
        """
        anew = Database(open_engine(self.place, create=True))
        added = merge(anew, self)
        self._engine.dispose()
        self._engine, self._writer, self._file = anew._engine, anew._writer, anew._file
        self._patience.note(
            f"store {self.place}: its file was removed or replaced in use; "
            f"what it held ({counted(added['run'], 'run')}) is there again"
        )

    def read(self, query: Callable[[Connection], Result]) -> Result:
        """What a query gives, all of it of one state (on SQLite)."""

        def attempt() -> Result:
            with self.reading() as connection:
                return query(connection)

        return self._patience.outlast(attempt)

    def write(self, change: Callable[[Connection], Any], once: Select[Any] | None = None) -> None:
        """`change` in one transaction.
        once: for a change that may not be made twice, a query that then finds its rows.
        """

        def attempt() -> None:
            with self.writing() as connection:
                change(connection)

        if once is None:
            self._patience.outlast(attempt)
            return
        rows = once

        def is_there() -> bool:
            with self.reading() as connection:
                return connection.execute(rows).first() is not None

        self._patience.outlast_once(attempt, is_there)
