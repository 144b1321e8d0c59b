"""From a path or an address to a database connection, with errors that a user can act on."""

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path

from sqlalchemy import DDL, URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from dnnbench.store.identity import canonical_json

from ..errors import StoreAway, StoreError
from ..masking import holds_password, masked
from ..regular import home_expanded, open_regular, require_regular

BUSY_TIMEOUT_S = 30
BUSY_STEP_S = 0.2
"""What SQLite itself waits for, when no signal is heard; Python waits for the rest."""
BUSY_PAUSE_S = 0.01
POSTGRES_DRIVER = "postgresql+psycopg"
POSTGRES_OPTIONS = {"connect_timeout": 10, "client_encoding": "utf8"}
SQLITE_START = b"SQLite format 3\0"
WRITES = "dnnbench_writes"
PRIMARY_CODE = 0xFF
"""The bits of SQLite's extended result codes that hold the primary one."""
PASSING = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
DAMAGED = "the store is damaged; restore it from a copy, or name another"
ADDRESS = "postgresql://USER@HOST/DATABASE"
_USER_PART = re.compile(r"[^:/]*(?::[^@]*)?@")  # as SQLAlchemy reads it
_STRAY_AT = re.compile(r"[^?]*@|.*[?&][^=&]*@")
_KEYWORD_FORM = re.compile(r"(?<!\S)(?:dbname|hostaddr)\s*=")
_NO_SCHEME = re.compile(
    r"(?:[a-z+]*//|postgres[a-z+]*:/)?[^\s:/=]+:[^\s@]*@", re.IGNORECASE
)  # or a torn one

ADVICE = (
    ("not a database", "the file is something else than SQLite; name another file"),
    ("malformed", DAMAGED),
    ("Could not decode", DAMAGED),
    (
        "locked",
        f"another process has held it for {BUSY_TIMEOUT_S} s; try again when that one has ended",
    ),
    ("readonly", "it may not be written to; copy it to a folder of your own"),
    (
        "unable to open",
        "it cannot be opened for writing; name a file in a folder that you may write to",
    ),
    ("full", "there is no space left; free some, or name a file elsewhere"),
    ("UNIQUE", "it is there already"),
    ("duplicate key", "it is there already"),
    ("FOREIGN KEY", "what it belongs to has to be added first"),
    ("foreign key", "what it belongs to has to be added first"),
    (
        "connection",
        "no connection to the server; check that it runs, and the address, user and password",
    ),
)


class DamagedValue(ValueError):
    """A value of another kind than its column holds: SQLite keeps any, broken JSON too."""


def connect(target: str | Path, create: bool = True) -> Engine:
    """The engine for a SQLite file (path or sqlite:/// URL) or a PostgreSQL server (URL).

    Parent folders of a file are created. With create=False a file that does not exist
    is a StoreError.
    """
    url = _url_of(target)
    if url.get_backend_name() == "sqlite":
        return _sqlite(Path(url.database or ""), create)
    return _postgres(url)


def refuse_to_overwrite(path: Path) -> None:
    """StoreError if an SQLite file is at the path: a table or a page written there would end what
    was measured.
    """
    if not path.is_file():
        return
    with open_regular(path) as file:
        if file.read(len(SQLITE_START)) == SQLITE_START:
            raise StoreError(f"{path}: is a store, and would be overwritten; name another file")


def place_of(engine: Engine) -> str:
    """What messages call the store: the file's path, or the address without its password,
    as a user writes it.
    """
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return masked(engine.url.render_as_string()).replace(
        f"{POSTGRES_DRIVER}://", "postgresql://", 1
    )


def change_tables(connection: Connection, statement: str) -> None:
    """Execute a statement that changes tables; in it `%%` is a per cent sign."""
    # SQLAlchemy has no types for DDL.
    connection.execute(DDL(statement))  # type: ignore[no-untyped-call]


def file_of(engine: Engine) -> tuple[int, int] | None:
    """Device and inode of a SQLite store's file as its path leads to it now.

    None where there is none.
    """
    if engine.dialect.name != "sqlite":
        return None
    try:
        status = os.stat(str(engine.url.database))
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _url_of(target: str | Path) -> URL:
    text = str(target)
    if "://" not in text:
        _refuse_an_address(text)
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # What SQLAlchemy says repeats parts of the address; its password may be among them.
        raise StoreError(f"store: got a broken address; expected a path or {ADDRESS}") from None
    if backend not in ("sqlite", "postgresql"):
        raise StoreError(
            f"store: got a {backend} database, expected a path (SQLite) or postgresql://..."
        )
    if backend == "postgresql":
        _refuse_a_stray_at(text.partition("://")[2])
    return url


def _refuse_a_stray_at(rest: str) -> None:
    """What stands behind the first @ of a password would be taken for the host,
    and be told as that.
    """
    if _STRAY_AT.match(_USER_PART.sub("", rest, count=1)):
        raise StoreError(
            "store: got an address with an @ too many; write %40 for one in a password, "
            "and %25 for a %"
        )


def _refuse_an_address(text: str) -> None:
    """A password must not become the name of a file."""
    if _NO_SCHEME.match(text):
        raise StoreError(
            f"store: got an address without its scheme; write {ADDRESS}, or ./ before a file's name"
        )
    if holds_password(text) or _KEYWORD_FORM.search(text):
        raise StoreError(f"store: got libpq's keyword form of an address; write {ADDRESS}")


def _postgres(url: URL) -> Engine:
    if "+" not in url.drivername:
        url = url.set(drivername=POSTGRES_DRIVER)
    options = {name: value for name, value in POSTGRES_OPTIONS.items() if name not in url.query}
    try:
        return create_engine(
            url,
            json_serializer=canonical_json,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args=options,
        )
    except ImportError as error:
        raise StoreError(
            "store: PostgreSQL needs psycopg; pip install 'dnnbench[postgres]'"
        ) from error
    except NoSuchModuleError as error:
        raise StoreError(f"store: {error}; write {ADDRESS}") from error


def _sqlite(path: Path, create: bool) -> Engine:
    path = home_expanded(path)
    _check_file(path, create)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        json_serializer=canonical_json,
        hide_parameters=True,
        connect_args={"timeout": BUSY_STEP_S},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _check_file(path: Path, create: bool) -> None:
    try:
        if path.is_dir():
            raise StoreError(
                f"store {path}: is a folder; name a file in it, such as {path / 'dnnbench.sqlite'}"
            )
        if path.exists():
            require_regular(path)
        if not create and not path.exists():
            raise StoreError(
                f"store {path}: no such file; `dnnbench run` makes one, --store names another"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"store {path}: cannot get there ({error.strerror}); name another file"
        ) from error


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = (
        None  # transactions begin where _begin says, not where the driver guesses
    )
    _write_ahead(connection)
    # A commit survives a power cut; one fsync a generation costs nothing beside it.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(
        "PRAGMA secure_delete = ON"
    )  # what is overwritten is zeroed, not only forgotten


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers go on while a run writes. SQLite's own timeout does not cover this change."""
    _when_free(lambda: connection.execute("PRAGMA journal_mode = WAL"))


def _begin(connection: Connection) -> None:
    # A reader that turns writer halfway fails at once if another wrote meanwhile;
    # a declared writer waits.
    writes = connection.get_execution_options().get(WRITES)
    if writes:
        _when_free(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        connection.exec_driver_sql("BEGIN")


def _when_free(statement: Callable[[], object]) -> None:
    """Waits for a lock in Python: SQLite's own timeout waits in C, where no Ctrl-C
    reaches a process.
    """
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            statement()
            return
        except (sqlite3.OperationalError, OperationalError) as error:
            original = getattr(error, "orig", error)
            code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_OK) & PRIMARY_CODE
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(BUSY_PAUSE_S)


def writer(engine: Engine) -> Engine:
    """The same engine, its transactions declared as writing ones."""
    return engine.execution_options(**{WRITES: True})


@contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Turns whatever the database says into a StoreError that names the store and what to do."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        said = masked(" ".join(str(getattr(error, "orig", None) or error).split()))
        todo = next(
            (advice for part, advice in ADVICE if part in said), "the transaction was undone"
        )
        kind = StoreAway if _may_pass(error) else StoreError
        raise kind(f"store {place_of(engine)}: {said}; {todo}") from error
    except JSONDecodeError as error:
        raise StoreError(
            f"store {place_of(engine)}: holds a text that is not JSON ({error}); {DAMAGED}"
        ) from error
    except DamagedValue as error:
        raise StoreError(f"store {place_of(engine)}: {error}; {DAMAGED}") from error


def _may_pass(error: Exception) -> bool:
    """Whether the next attempt may meet a free lock, an emptier disk, a server that is up again."""
    original = getattr(error, "orig", error)
    if isinstance(original, sqlite3.Error):
        return getattr(original, "sqlite_errorcode", sqlite3.SQLITE_OK) & PRIMARY_CODE in PASSING
    return isinstance(error, OperationalError | InterfaceError) or getattr(
        error, "connection_invalidated", False
    )
