"""The tables of a store, their version, and how a store of an older version
is brought up to date.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from dnnbench.store.engine import change_tables, place_of, writer
from dnnbench.store.naming import name_machines
from dnnbench.store.scrub import mark_scrubbed, mask_stored, scrub

from ..errors import StoreError


def _add_test_loss(connection: Connection) -> None:
    change_tables(connection, "ALTER TABLE epoch ADD COLUMN test_loss DOUBLE PRECISION")


def _add_status_of_checks(connection: Connection) -> None:
    """A word for what became of each check, from what told it until then.

    No ratio where nothing was compared.
    """
    change_tables(
        connection, "ALTER TABLE agreement ADD COLUMN status TEXT NOT NULL DEFAULT 'differs'"
    )
    for status, condition in {
        "agrees": "ok",
        "unsupported": "kind LIKE 'unsupported%%'",
        "undetermined": "kind LIKE 'undetermined%%'",
        "could not run": "kind = 'not checked'",
        "not compared": "NOT ok AND reason LIKE 'the reference is not finite either%%'",
    }.items():
        change_tables(connection, f"UPDATE agreement SET status = '{status}' WHERE {condition}")
    change_tables(
        connection, "UPDATE agreement SET ratio = NULL WHERE status NOT IN ('agrees', 'differs')"
    )


def _add_count_of_tensors(connection: Connection) -> None:
    """Missing in rows of before, which nobody counted."""
    change_tables(connection, "ALTER TABLE agreement ADD COLUMN tensors INTEGER")


def _single_calls(connection: Connection) -> None:
    """Nothing changes in the tables: blocks may hold single calls, which an older dnnbench would
    take for visits.
    """


def _add_findings(connection: Connection) -> None:
    """Of gates; those that an older dnnbench measured have none."""
    change_tables(
        connection,
        """
        CREATE TABLE finding (
            cell_id TEXT NOT NULL PRIMARY KEY REFERENCES cell (cell_id),
            run_id TEXT NOT NULL REFERENCES run (run_id),
            stage TEXT NOT NULL, base TEXT NOT NULL,
            ratio DOUBLE PRECISION, ratio_low DOUBLE PRECISION, ratio_high DOUBLE PRECISION,
            generations INTEGER, p DOUBLE PRECISION, threshold DOUBLE PRECISION,
            flagged BOOLEAN NOT NULL, answered BOOLEAN NOT NULL, overruled BOOLEAN NOT NULL,
            verdict TEXT, reason TEXT, smallest_difference DOUBLE PRECISION,
            theta DOUBLE PRECISION NOT NULL
        )
        """,
    )
    change_tables(connection, "CREATE INDEX ix_finding_run_id ON finding (run_id)")


def _add_figures(connection: Connection) -> None:
    """Of calls; runs that an older dnnbench measured have none."""
    change_tables(
        connection,
        """
        CREATE TABLE figure (
            cell_id TEXT NOT NULL REFERENCES cell (cell_id),
            generation INTEGER NOT NULL,
            figure TEXT NOT NULL,
            run_id TEXT NOT NULL REFERENCES run (run_id),
            value DOUBLE PRECISION, unit TEXT NOT NULL, figure_kind TEXT NOT NULL, reason TEXT,
            PRIMARY KEY (cell_id, generation, figure)
        )
        """,
    )
    change_tables(connection, "CREATE INDEX ix_figure_run_id ON figure (run_id)")


SCHEMA_VERSION = 9
MIGRATIONS: dict[int, Callable[[Connection], None]] = {
    1: _add_test_loss,
    2: mask_stored,
    3: _add_status_of_checks,
    4: name_machines,
    5: _add_count_of_tensors,
    6: _single_calls,
    7: _add_findings,
    8: _add_figures,
}
"""Version -> the function that changes a store of that version into one of the next,
inside a transaction.
"""

METADATA = MetaData()
_CREATION_LOCK = 0x646E6E62


def _key(name: str, kind: type[TypeEngine[Any]] = Text, *references: ForeignKey) -> Column[Any]:
    return Column(name, kind, *references, primary_key=True, autoincrement=False)


def _text(name: str, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def _json(name: str) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=False)


def _run() -> ForeignKey:
    return ForeignKey("run.run_id")


VERSION = Table("dnnbench_schema", METADATA, _key("version", Integer))

MACHINE = Table(
    "machine",
    METADATA,
    _key("machine_id"),
    _text("label", nullable=True),
    _json("facts"),
    _text("host_hash"),
    _text("machine_class", nullable=True),
    # 1: named by an older dnnbench, without all that names a machine today;
    # such a row is equal to no other.
    Column("identity_version", Integer, nullable=False),
    # The ids that older versions gave to this very machine.
    _json("aliases"),
)

RUN = Table(
    "run",
    METADATA,
    _key("run_id"),
    _text("label", nullable=True),
    _text("revision", nullable=True),
    _text("created"),
    _json("command"),
    _json("settings"),
    Column("seed", BigInteger, nullable=False),
    _text("dnnbench_version"),
    Column("machine_id", Text, ForeignKey("machine.machine_id"), nullable=False),
    _json("versions"),
    _text("status"),
    _text("finished", nullable=True),
    # Counts the writes to the run, so that merge knows the newer of two copies without
    # trusting a clock.
    Column("edition", BigInteger, nullable=False),
)

CELL = Table(
    "cell",
    METADATA,
    _key("cell_id"),
    Column("run_id", Text, _run(), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    _text("workload"),
    _text("spec_hash"),
    _text("arm"),
    _text("arm_key"),
    _text("backend"),
    _text("mode"),
    _text("device"),
    _text("dtype"),
    Column("threads", Integer, nullable=False),
    _text("environment", nullable=True),
    Column("batch_size", BigInteger, nullable=False),
    _text("phase"),
    Column("calls", BigInteger),
    _text("status"),
    _text("reason", nullable=True),
    Column("flops", BigInteger),
    Column("bytes", BigInteger),
    Column("peak_rss_bytes", BigInteger),
    Column("peak_device_bytes", BigInteger),
    _text("unequal", nullable=True),
    _text("rank_group", nullable=True),
)

GENERATION = Table(
    "generation",
    METADATA,
    _key("run_id", Text, _run()),
    _key("generation", Integer),
    _text("started", nullable=True),
    _text("finished"),
    _json("facts"),
)

SAMPLE_BLOCK = Table(
    "sample_block",
    METADATA,
    _key("cell_id", Text, ForeignKey("cell.cell_id")),
    _key("generation", Integer),
    Column("n", Integer, nullable=False),
    Column("layout_version", Integer, nullable=False),
    _text("dtype"),
    _text("columns"),
    Column("blob", LargeBinary, nullable=False),
)

FIRST_CALL = Table(
    "first_call",
    METADATA,
    _key("run_id", Text, _run()),
    _key("arm"),
    _key("workload"),
    _key("batch_size", BigInteger),
    _key("phase"),
    _key("generation", Integer),
    Column("import_s", Double),
    Column("build_s", Double),
    Column("first_call_s", Double),
)

AGREEMENT = Table(
    "agreement",
    METADATA,
    _key("run_id", Text, _run()),
    _key("arm"),
    _key("workload"),
    _key("dtype"),
    _key("kind"),
    _key("optimizer"),
    Column("ratio", Double),
    _text("tensor", nullable=True),
    Column("ok", Boolean, nullable=False),
    _text("reason", nullable=True),
    Column("status", Text, nullable=False, server_default="differs"),
    Column("tensors", Integer),
)

FINDING = Table(
    "finding",
    METADATA,
    _key("cell_id", Text, ForeignKey("cell.cell_id")),
    Column("run_id", Text, _run(), nullable=False, index=True),
    _text("stage"),
    _text("base"),
    Column("ratio", Double),
    Column("ratio_low", Double),
    Column("ratio_high", Double),
    Column("generations", Integer),
    Column("p", Double),
    Column("threshold", Double),
    Column("flagged", Boolean, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("overruled", Boolean, nullable=False),
    _text("verdict", nullable=True),
    _text("reason", nullable=True),
    Column("smallest_difference", Double),
    Column("theta", Double, nullable=False),
)

FIGURE = Table(
    "figure",
    METADATA,
    _key("cell_id", Text, ForeignKey("cell.cell_id")),
    _key("generation", Integer),
    _key("figure"),
    Column("run_id", Text, _run(), nullable=False, index=True),
    Column("value", Double),
    _text("unit"),
    _text("figure_kind"),
    _text("reason", nullable=True),
)

EPOCH = Table(
    "epoch",
    METADATA,
    _key("run_id", Text, _run()),
    _key("workload"),
    _key("arm"),
    _key("dtype"),
    _key("epoch", Integer),
    Column("loss", Double),
    Column("accuracy", Double),
    Column("seconds", Double),
    Column("n_test", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("test_loss", Double),
)


def prepare(engine: Engine) -> None:
    """Create the tables in an empty database, or bring an older store up to date.

    All of it or nothing.

    A file from before passwords were masked is rewritten (`scrub`).

    Raises StoreError for a store that a newer dnnbench wrote, and for a database that holds
    something else.
    """
    with engine.connect() as connection:
        current = _version_of(connection) == SCHEMA_VERSION
    if not current:
        with writer(engine).begin() as connection:
            _lock(connection)
            _bring_up(connection)
    scrub(engine)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite is locked by the transaction itself
        connection.execute(select(func.pg_advisory_xact_lock(_CREATION_LOCK)))


def _bring_up(connection: Connection) -> None:
    begun_with = _version_of(connection)
    if begun_with is None:
        METADATA.create_all(connection)
        connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))
        mark_scrubbed(connection)
        return
    for version in range(begun_with, SCHEMA_VERSION):
        if version not in MIGRATIONS:
            raise _refusal(
                connection, f"no way up from schema version {version}; use an older dnnbench"
            )
        MIGRATIONS[version](connection)
    connection.execute(update(VERSION).values(version=SCHEMA_VERSION))


def _version_of(connection: Connection) -> int | None:
    tables = inspect(connection).get_table_names()
    if VERSION.name not in tables:
        _refuse_foreign(connection, tables)
        return None
    version: int = connection.execute(select(VERSION.c.version)).scalar_one()
    if version > SCHEMA_VERSION:
        text = (
            f"it has schema version {version}, this dnnbench reads up to {SCHEMA_VERSION}; "
            "upgrade dnnbench"
        )
        raise _refusal(connection, text)
    return version


def _refuse_foreign(connection: Connection, tables: list[str]) -> None:
    if tables:
        some = ", ".join(sorted(tables)[:5])
        text = (
            f"not a dnnbench store, it holds other tables ({some}); "
            "name an empty database or a new file"
        )
        raise _refusal(connection, text)


def _refusal(connection: Connection, text: str) -> StoreError:
    return StoreError(f"store {place_of(connection.engine)}: {text}")


def key_names(table: Table) -> tuple[str, ...]:
    """Names of the columns that make up a table's primary key."""
    return tuple(column.name for column in table.primary_key.columns)


def render_tables() -> str:
    """Markdown table of the SQL tables: name, primary key, other columns (`?`: may be NULL)."""
    lines = ["| table | key | other columns |", "|---|---|---|"]
    for table in METADATA.sorted_tables:
        others = [
            f"{c.name}{'?' if c.nullable else ''}" for c in table.columns if not c.primary_key
        ]
        lines.append(f"| `{table.name}` | {', '.join(key_names(table))} | {', '.join(others)} |")
    return "\n".join(lines)
